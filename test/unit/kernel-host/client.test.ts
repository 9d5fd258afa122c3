import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { KernelHostClient } from '../../../extension/core/engine/kernel-host-client';
import { RpcError } from '../../../extension/core/protocol/rpc';
import { temporaryFolder } from '../support/files';

const ROOT = path.resolve(__dirname, '../../..');
const SAMPLE = path.join(ROOT, 'test/fixtures/samples/hyenadna-tiny-1k-ecoli');
const MODEL = path.join(SAMPLE, 'model.safetensors');

function newClient(): KernelHostClient {
  return new KernelHostClient({ entry: path.join(ROOT, 'extension/kernel-host/main.ts'), execArgv: ['--import', 'tsx'] });
}

async function failure(promise: Promise<unknown>): Promise<RpcError> {
  const error = await promise.then(() => undefined, (cause: unknown) => cause);
  assert.ok(error instanceof RpcError, `an RpcError was expected, got ${String(error)}`);
  return error;
}

describe('kernel host', function () {
  this.timeout(60_000);
  const client = newClient();
  const temporary = temporaryFolder();
  after(() => client.dispose());

  it('answers typed calls, concurrently', async () => {
    const [devices, summary] = await Promise.all([client.call('devices', {}), client.call('inspect', { model: MODEL })]);
    assert.ok(devices.cpu.instructionSets.includes('portable'));
    assert.equal(summary.family, 'hyenadna');
    assert.equal(summary.sites.length, 2);
  });

  it('sends errors the user can act on as such', async () => {
    const error = await failure(client.call('inspect', { model: path.join(ROOT, 'package.json') }));
    assert.equal(error.kind, 'user');
    assert.match(error.message, /package\.json/);
  });

  it('names the job when the process is killed, and the next call starts a new process', async () => {
    await client.call('devices', {});
    const first = client.pid!;
    const running = failure(client.call('timeHeatmap', { model: MODEL, site: 'layers.1.mixer', rows: 8, columns: 8 }));
    process.kill(first, 'SIGKILL');
    const error = await running;
    assert.equal(error.kind, 'crashed');
    assert.match(error.message, /SIGKILL.*timeHeatmap/);
    const map = await client.call('timeHeatmap', { model: MODEL, site: 'layers.1.mixer', rows: 8, columns: 8 });
    assert.equal(map.values.length, 64);
    assert.notEqual(client.pid, first);
  });

  it('aborting ends the process and rejects as cancelled', async () => {
    await client.call('devices', {});
    const pid = client.pid!;
    const controller = new AbortController();
    const running = failure(client.call('timeHeatmap', { model: MODEL, site: 'layers.0.mixer', rows: 8, columns: 8 }, { signal: controller.signal }));
    controller.abort();
    assert.equal((await running).kind, 'cancelled');
    await new Promise((resolve) => setTimeout(resolve, 300));
    assert.throws(() => process.kill(pid, 0), /ESRCH/);
  });

  for (const format of ['safetensors', 'onnx'] as const) {
    it(`a process that is ended removes what it has half written: ${format}`, async () => {
      const plan = temporary.file('p.surgery.json');
      const made = await client.call('makePlan', { model: MODEL, planPath: plan, partial: 64 });
      await temporary.write('p.surgery.json', JSON.stringify(made));
      const controller = new AbortController();
      const running = failure(client.call('exportPlan', { plan, format, recausalise: false, output: temporary.file(`out.${format}`) }, { signal: controller.signal }));
      while (!fs.existsSync(temporary.file(`out.${format}.unverified`))) await new Promise((resolve) => setTimeout(resolve, 1));
      controller.abort();
      assert.equal((await running).kind, 'cancelled');
      // The next call has a process of its own at once.
      await client.call('devices', {});
      await new Promise((resolve) => setTimeout(resolve, 1200));
      assert.deepEqual(await temporary.list(), ['p.surgery.json']);
    });
  }
});
