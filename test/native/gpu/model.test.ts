import * as assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import type { BenchResult } from '../../../extension/core/validation/bench/request';
import type { MaskedQuality, Quality } from '../../../extension/core/validation/report';
import { MODEL, SAMPLE, temporaryFolder } from '../../unit/cli/cli';
import { buildEmulatedGpu, EMULATED_LIBRARY, output, ROOT } from './emulated';

const ON_EMULATED_GPU = { LONGCONV_CUDA_LIBRARY: EMULATED_LIBRARY };
const cli = (args: readonly string[], environment = {}): Promise<string> => output(process.execPath, [path.join(ROOT, 'dist/cli.js'), ...args], environment);

interface Measured { readonly dense: Quality; readonly masked: MaskedQuality; readonly outputError: { readonly masked: number }; readonly sites: readonly number[] }

function assertClose(got: number, want: number, tolerance: number, what: string): void {
  assert.ok(Math.abs(got - want) <= tolerance * Math.abs(want), `${what}: ${got} instead of ${want}`);
}

describe('a whole model on an emulated GPU', function () {
  this.timeout(300_000);
  before(buildEmulatedGpu);

  it('is named by devices; without the library, devices says why not', async () => {
    assert.match(await cli(['devices'], ON_EMULATED_GPU), /cuda {2}emulated GPU/);
    assert.match(await cli(['devices'], { LONGCONV_CUDA_LIBRARY: '/nowhere/liblongconv_cuda.so' }), /cuda {2}not usable: .*is missing/);
  });

  it('is measured by bench, in float16 and in float32', async () => {
    for (const [dtype, operation, limit] of [['f16', 'comb:0.25', 1e-3], ['f32', 'partial:32', 5e-6]] as const) {
      const printed = await cli(['bench', '--backend', 'cuda', '--shapes', 'B2H3L300', '--ops', operation, '--gated', '--dtype', dtype, '--json'], ON_EMULATED_GPU);
      const [{ op, backend, error, algorithm, median_ms: time, floor_ms: floor, baselines }, ...others] = JSON.parse(printed) as readonly BenchResult[];
      assert.equal(`${backend} ${op}`, `cuda ${operation}`);
      assert.ok(error > 0 && error < limit, `${dtype} ${op}: error ${error}`);
      assert.ok(algorithm !== '' && time > 0 && floor > 0, `${dtype} ${op}: ${algorithm}, ${time} and ${floor} ms`);
      assert.deepEqual(Object.keys(baselines), ['dense']);
      assert.equal(others.length, 0);
    }
  });

  it('gives the perplexities and errors of the processor', async () => {
    const folder = temporaryFolder();
    const plan = path.join(folder, 'p.surgery.json'), data = path.join(folder, 'data.fa');
    await cli(['plan', MODEL, '--partial', '40', '-o', plan]);
    fs.writeFileSync(data, fs.readFileSync(path.join(SAMPLE, 'ecoli-validation.fa')).subarray(0, 400));
    const script = path.join(ROOT, 'test/native/gpu/quality.ts');
    const printed = await output(process.execPath, ['--import', 'tsx', script, plan, data, '130'], ON_EMULATED_GPU);
    const { half, single, cpu, leftBytes } = JSON.parse(printed) as { half: Measured; single: Measured; cpu: Measured; leftBytes: number };
    fs.rmSync(folder, { recursive: true });
    for (const [gpu, loss, error] of [[half, 1e-3, 0.02], [single, 1e-6, 1e-4]] as const) {
      assertClose(gpu.dense.perplexity, cpu.dense.perplexity, loss, 'perplexity');
      assertClose(gpu.masked.perplexity, cpu.masked.perplexity, loss, 'perplexity of the masked model');
      assertClose(gpu.masked.kl, cpu.masked.kl, 2.5 * error, 'KL divergence');
      assertClose(gpu.outputError.masked, cpu.outputError.masked, error, 'error of the logits');
      gpu.sites.forEach((value, i) => assertClose(value, cpu.sites[i], error, `output error of site ${i}`));
      assert.equal(gpu.dense.tokens, cpu.dense.tokens);
    }
    assert.equal(leftBytes, 0, 'device memory that nobody released');
  });
});
