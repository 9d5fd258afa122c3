import * as assert from 'node:assert/strict';
import * as path from 'node:path';
import type { DenseSession, DenseSessions } from '../../../extension/core/graph/dense-sessions';
import { ModelRunner, type RunnerSetup, type SiteEvent } from '../../../extension/core/graph/runtime';
import { OnnxSessions } from '../../../extension/kernel-host/onnx-sessions';
import { gridPart } from '../export-onnx/support/grid-part';
import { causalFilter, denseFilters, GOLDEN, openTinyModel, readTensors, siteFilter, siteOf, type TinyModel } from './support/hyenadna';
import { assertClose } from './support/measure';
import { referenceEngine } from './support/reference-engine';

const FOLDER = path.join(GOLDEN, 'hyenadna-hf-a');

describe('ModelRunner', () => {
  let model: TinyModel;
  let ids: Int32Array;
  let expected: (name: string) => Float32Array;
  const runners: ModelRunner[] = [];
  before(async () => {
    model = await openTinyModel(path.join(FOLDER, 'model.safetensors'), 0.05);
    expected = await readTensors(path.join(FOLDER, 'expected.safetensors'));
    ids = Int32Array.from(expected('full.input_ids'));
  });
  afterEach(async () => {
    for (const runner of runners.splice(0)) await runner.dispose();
  });

  const create = async (setup: Partial<RunnerSetup> = {}): Promise<ModelRunner> => {
    const runner = await ModelRunner.create({
      graph: model.graph, sessions: new OnnxSessions(), engine: referenceEngine, filters: denseFilters(model), maxLength: 66, ...setup,
    });
    runners.push(runner);
    return runner;
  };

  it('shows what each site was given and what it made', async () => {
    const runner = await create();
    const sites: string[] = [];
    await runner.run(ids, 1, ids.length, {
      onSite: ({ site, u, preGate, postGate, skip, output, batch, length }: SiteEvent) => {
        sites.push(site);
        if (site !== 'layers.0.mixer') return;
        assert.deepEqual([batch, length, skip!.length], [1, 66, 32]);
        assertClose(u.map((x, i) => x * preGate![i]), expected('full.conv0.u'), 1e-5);
        const y = expected('full.conv0.y');
        assertClose(output, y.map((x, i) => x * postGate![i]), 1e-5);
      },
    });
    assert.deepEqual(sites, ['layers.0.mixer', 'layers.1.mixer']);
  });

  it('waits for the callback before it goes on', async () => {
    const runner = await create();
    let running = 0;
    await runner.run(ids, 1, ids.length, {
      onSite: async () => {
        assert.equal(++running, 1);
        await new Promise((resolve) => setTimeout(resolve, 5));
        running--;
      },
    });
    assert.equal(running, 0);
  });

  it('keeps sequences of a batch apart, takes 32- and 64-bit ids, and other lengths in between', async () => {
    const runner = await create();
    const short = Int32Array.from(expected('short.input_ids'));
    const alone = await runner.run(short, 1, short.length);
    const other = ids.subarray(0, short.length);
    const pair = await runner.run(BigInt64Array.from([...other, ...short], BigInt), 2, short.length);
    assertClose(await runner.run(ids, 1, ids.length), expected('full.logits'), 1e-5);
    assertClose(pair.subarray(alone.length), alone, 1e-6);
    assertClose(pair.subarray(0, alone.length), await runner.run(other, 1, short.length), 1e-6);
    assertClose(alone, expected('short.logits'), 1e-5);
  });

  it('exchanges filters without loading dense pieces again, and gives logits that a later run does not overwrite', async () => {
    const counting = new CountingSessions();
    const runner = await create({ sessions: counting });
    const length = 32;
    const first = await runner.run(ids.subarray(0, length), 1, length);
    const copy = first.slice();
    const masked = new Map([...model.rows].map(([id, rows]) => [id, siteFilter(siteOf(id, 32, 66), [gridPart(rows, 66, [0, 32], 64)])]));
    for (const [id, filter] of masked) await runner.setFilters(id, filter);
    const second = await runner.run(ids.subarray(0, length), 1, length);
    assert.equal(counting.created, 3);
    assert.deepEqual(first, copy);
    assert.throws(() => assertClose(second, first, 0.05));
    const fresh = await create({ filters: masked });
    assert.deepEqual(await fresh.run(ids.subarray(0, length), 1, length), second);
    for (const [id, filter] of denseFilters(model)) await runner.setFilters(id, filter);
    assert.deepEqual(await runner.run(ids.subarray(0, length), 1, length), first);
  });

  it('runs variants with other filters beside each other on the same dense pieces', async () => {
    const counting = new CountingSessions();
    const runner = await create({ sessions: counting });
    const cut = await runner.variant(denseFilters(model, 5));
    const fresh = await create({ filters: denseFilters(model, 5) });
    assert.deepEqual(await cut.run(ids, 1, 66), await fresh.run(ids, 1, 66));
    await cut.dispose();
    assert.deepEqual([counting.created, counting.disposed], [3, 0]);
    assertClose(await runner.run(ids, 1, 66), expected('full.logits'), 1e-5);
  });

  it('refuses inputs that the runner, a full-length filter or a grid is not made for', async () => {
    const tokens = (length: number): Int32Array => new Int32Array(length).fill(7);
    const short = await create({ maxLength: 40 });
    await assert.rejects(short.run(tokens(41), 1, 41), /41 samples, but the runner is made for at most 40/);
    const long = await create({ maxLength: 500 });
    await assert.rejects(long.run(tokens(67), 1, 67), /67 samples, but the filter of site layers\.0\.mixer is made for at most 66/);
    for (const [id, filter] of denseFilters(model, 20)) await long.setFilters(id, filter);
    assert.equal((await long.run(tokens(500), 1, 500)).length, 500 * 16);
    const recausalised = causalFilter(siteOf('layers.1.mixer', 32, 66), model.rows.get('layers.1.mixer')!, 64);
    await long.setFilters('layers.1.mixer', siteFilter(recausalised.site, recausalised.parts));
    await assert.rejects(long.run(tokens(65), 1, 65), /site layers\.1\.mixer is made for at most 64/);
    const site = siteOf('layers.1.mixer', 32, 66);
    await long.setFilters(site.id, siteFilter(site, [gridPart(model.rows.get(site.id)!, 66, [0, 32], 64)]));
    await assert.rejects(long.run(tokens(33), 1, 33), /site layers\.1\.mixer is made for at most 32/);
  });

  it('says which filter is missing, and frees what it had made', async () => {
    const counting = new CountingSessions();
    const filters = denseFilters(model);
    filters.delete('layers.1.mixer');
    await assert.rejects(create({ filters, sessions: counting }), /no filter for site layers\.1\.mixer/);
    assert.ok(counting.created > 0);
    assert.equal(counting.disposed, counting.created);
  });

  it('gives a sentence when ONNX Runtime does not take a model or an input', async () => {
    const refused = { name: 'UserError', message: /^ONNX Runtime does not take the model: [^\n]+$/ };
    await assert.rejects(new OnnxSessions().create(Uint8Array.of(1, 2, 3)), refused);
    const runner = await create();
    await assert.rejects(runner.run(Int32Array.of(7, -1), 1, 2), { name: 'UserError', message: /Token 1 of the input is -1/ });
    const failed = { name: 'UserError', message: /^ONNX Runtime could not run the model: [^\n]+$/ };
    await assert.rejects(runner.run(Int32Array.of(7, 99), 1, 2), failed);
  });
});

class CountingSessions implements DenseSessions {
  created = 0;
  disposed = 0;
  private readonly sessions = new OnnxSessions();

  async create(model: Uint8Array): Promise<DenseSession> {
    return this.counted(await this.sessions.create(model));
  }

  async createFromFile(path: string): Promise<DenseSession> {
    return this.counted(await this.sessions.createFromFile(path));
  }

  private counted(session: DenseSession): DenseSession {
    this.created++;
    return {
      inputNames: session.inputNames, outputNames: session.outputNames, outputs: session.outputs, run: (feeds, wanted) => session.run(feeds, wanted),
      dispose: () => {
        this.disposed++;
        return session.dispose();
      },
    };
  }
}
