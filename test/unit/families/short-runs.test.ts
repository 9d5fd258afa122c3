import * as assert from 'node:assert/strict';
import { exportOnnx, verifyOnnx } from '../../../extension/core/export/onnx';
import { exportSafetensors } from '../../../extension/core/export/safetensors';
import type { LongConvModel } from '../../../extension/core/families/model';
import { openModel } from '../../../extension/core/families/registry';
import { defaultRunLength, gridRequest } from '../../../extension/core/families/site-shape';
import { ModelRunner } from '../../../extension/core/graph/runtime';
import { defaultGrid } from '../../../extension/core/masks/grid';
import { siteFilter } from '../../../extension/core/plan/apply';
import type { ChannelMask } from '../../../extension/core/plan/plan';
import type { SiteFilter } from '../../../extension/core/plan/site-filter';
import { OnnxSessions } from '../../../extension/kernel-host/onnx-sessions';
import { standingFilters } from '../../../extension/kernel-host/surgery';
import { Expected, GOLDEN, withModel } from './golden';
import { f32, writeVariant } from './variants';
import { assertClose, noise } from '../graph/support/measure';
import { FINGERPRINT, plan } from '../plan/support/plans';
import { spectralEngine } from '../plan/support/spectral-engine';
import { temporaryFolder } from '../support/files';

const sessions = new OnnxSessions();
const source = { name: 'x', fingerprint: 'y' };

async function filtersOf(model: LongConvModel, masks: readonly ChannelMask[]): Promise<Map<string, SiteFilter>> {
  const filters = new Map<string, SiteFilter>();
  for (const site of model.sites) filters.set(site.id, await siteFilter(model, site, masks, spectralEngine, { recausalise: false }));
  return filters;
}

async function logits(model: LongConvModel, filters: ReadonlyMap<string, SiteFilter>, input: Int32Array | Float32Array, length: number, maxLength = length): Promise<Float32Array> {
  const runner = await ModelRunner.create({ graph: await model.graph(), sessions, engine: spectralEngine, filters, maxLength });
  try {
    return Float32Array.from(await runner.run(input, 1, length));
  } finally {
    await runner.dispose();
  }
}

describe('models that have other filters on short inputs, run and exported', () => {
  const folder = temporaryFolder();
  for (const lowering of ['dft', 'conv', 'function'] as const) {
    it(`ONNX, ${lowering}: the original's logits of 41 tokens, and no other length`, () => withModel('h3conv-a', undefined, async (model) => {
      const expected = await Expected.read('h3conv-a');
      const ids = expected.ids('short.input_ids');
      const output = folder.file(`${lowering}.onnx`);
      const graph = await model.graph();
      const { notes } = await exportOnnx({ graph, filters: await filtersOf(model, []), length: 41, lowering, output, source, plan: plan() });
      assert.match(notes[1], /exactly 41 samples/);
      assert.ok((await verifyOnnx(output, sessions, ids, 1, 41, Float32Array.from(expected.get('short.logits').values), graph)) <= 1e-4);
      await assert.rejects(verifyOnnx(output, sessions, ids.subarray(0, 40), 1, 40, new Float32Array(0), graph), /Got: 40 Expected: 41/);
    }));
  }

  it('ONNX: filters that are cut take inputs of at least their taps', () => withModel('h3conv-a', undefined, async (model) => {
    const filters = await filtersOf(model, [{ partial: { taps: 20 } }]);
    const graph = await model.graph();
    const ids = Int32Array.from({ length: 90 }, (_, i) => (7 * i) % 50);
    for (const [lowering, longest] of [['conv', 90], ['dft', 64]] as const) {
      const output = folder.file(`cut.${lowering}.onnx`);
      const { notes } = await exportOnnx({ graph, filters, length: 64, lowering, output, source, plan: plan() });
      assert.match(notes[1], /fewer than 20 samples/);
      for (const length of [20, longest]) {
        const given = ids.subarray(0, length);
        assert.ok((await verifyOnnx(output, sessions, given, 1, length, await logits(model, filters, given, length), graph)) <= 1e-5);
      }
      await assert.rejects(verifyOnnx(output, sessions, ids.subarray(0, 19), 1, 19, new Float32Array(0), graph), /inputs_of_at_least_20_samples/);
    }
    await assert.rejects(logits(model, filters, ids.subarray(0, 19), 19, 64), /has 19 samples, but the filter of site layers\.0\.mixer\.k_kernel was prepared for at least 20/);
  }));

  it('CPU: the filters that runs of a model take are not cut to their input', () => withModel('h3conv-a', undefined, async (model) => {
    const expected = await Expected.read('h3conv-a');
    const filters = await standingFilters(model, spectralEngine, 41);
    assertClose(await logits(model, filters, expected.ids('short.input_ids'), 41), expected.get('short.logits').values, 1e-4);
  }));

  it('runs and grids are for the trained length by default, also where that is no power of two', async () => {
    const kernel = f32('kernel.kernel', [1, 32, 50], noise(32 * 50, 3));
    const model = await openModel(await writeVariant(GOLDEN('longconv-a'), folder.file('odd'), { put: [kernel] }));
    const { fftSize, taps } = defaultGrid(gridRequest(model, model.sites[0]));
    assert.deepEqual([model.maxLength, defaultRunLength(model), fftSize, taps], [50, 50, 128, 50]);
    await model.close();
    await withModel('hyenadna-hf-a', undefined, async (other) => { assert.deepEqual([other.maxLength, defaultRunLength(other)], [66, 64]); });
  });

  const lowpass = (taps: number): ChannelMask => ({ frequency: { grid: { fftSize: 2 * taps, factors: [16, taps / 8], taps }, symmetry: 'conjugate', keep: { kind: 'lowpass', fraction: 0.5 } } });
  const CASES = [
    ['h3conv-a', 64, 41, [lowpass(64)]], ['h3conv-a', 64, 25, [{ partial: { taps: 50, taper: 5 } }]], ['longconv-bidir-a', 64, 41, [{ ...lowpass(64), channels: [3, 20] }]],
    ['longconv-bidir-a', 64, 41, [{ partial: { taps: 50 } }]], ['longconv-model-a', 1024, 600, [lowpass(1024)]], ['longconv-model-a', 1024, 600, [{ partial: { taps: 900 } }]],
  ] as const;
  for (const [name, taps, length, masks] of CASES) {
    it(`safetensors, ${name}, ${'partial' in masks[0] ? 'cut' : 'lowpass'}: a baked filter acts as the plan's on ${length} samples`, () => withModel(name, undefined, async (model) => {
      const filters = await filtersOf(model, masks);
      const [output, width] = [folder.file('baked.safetensors'), (model.floatInput ?? [1]).reduce<number>((n, dim) => n * (dim === 'length' ? 1 : dim), 1)];
      const input = model.floatInput ? Float32Array.from({ length: width * length }, (_, i) => Math.sin(i * i)) : Int32Array.from({ length }, (_, i) => (7 * i) % 50);
      await exportSafetensors({
        model, filters, form: 'baked', recausalise: false, output,
        plan: { version: 1, model: { path: 'm', family: model.family, fingerprint: FINGERPRINT }, sites: model.sites.map(({ id }) => ({ site: id, masks: [...masks] })) },
      });
      const again = await openModel(output);
      try {
        assert.deepEqual(again.sites.map(({ taps: kept, direction, ringOfRun }) => [kept, direction, ringOfRun]), model.sites.map(({ direction, ringOfRun }) => [taps, direction, ringOfRun]));
        assertClose(await logits(again, await filtersOf(again, []), input, length), await logits(model, filters, input, length), 1e-7);
      } finally {
        await again.close();
      }
    }));
  }
});
