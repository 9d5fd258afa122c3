import * as assert from 'node:assert/strict';
import type { LongConvModel } from '../../../extension/core/families/model';
import type { SiteFilter } from '../../../extension/core/plan/site-filter';
import { loadEngine } from '../../../extension/kernel-host/addon';
import { spectralEngine } from '../plan/support/spectral-engine';
import { Expected, withModel } from './golden';
import { assertGolden, filterRows, goldenInput, runValues } from './golden-runs';

/** Of the original float32 runs, relative. */
const NOISE = 1e-5;
const GPT = { 'embed': 'embedding/Gather', 'mixer0.in': 'layers.0/norm1/LayerNormalization' };
const HYENA = { ...GPT, 'mixer0.out': 'layers.0/mixer/out_proj/Add' };
const H3 = { ...GPT, 'mixer0.out': 'layers.0/mixer/output_linear/Add' };
const M2 = { 'mixer0.in': 'embed', 'mixer0.out': 'layers.0.mixer/out_linear/Add' };
const STRIPED = { 'filter0.in': 'blocks.0/filter/projections/Add', 'filter0.out': 'blocks.0/filter/Transpose_1' };
const EVO2 = {
  'filter0.in': 'blocks.0/filter/projections/MatMul',
  'filter0.out': 'blocks.0/filter/Transpose_1', 'filter1.out': 'blocks.1/filter/Transpose_1', 'filter2.out': 'blocks.2/filter/Transpose_1',
};
const MULTIHYENA = { x1: 'operator/Split', x2: 'operator/Split:1', v: 'operator/Split:2', heads_y: 'operator/Reshape_5' };

/** Golden values inside the first layers, by the names that they have in our graphs. */
const CASES: readonly (readonly [name: string, values: Readonly<Record<string, string>>, length?: number])[] = [
  ['hyenadna-hf-a', HYENA], ['hyenadna-lightning-a', HYENA], ['hyena-safari-mod-a', HYENA], ['hyena-safari-nomod-a', HYENA], ['hyena-safari-order3-a', HYENA],
  ['h3-a', H3, 100], ['h3-attn-a', H3, 100], ['h3conv-a', H3], ['m2bert-a', M2], ['m2bert-adds-a', M2],
  ['stripedhyena-a', STRIPED, 64], ['evo1-a', STRIPED, 64], ['evo2-a', EVO2, 160], ['multihyena-a', MULTIHYENA],
];

describe('values inside the golden models', () => {
  for (const [name, values, length] of CASES) {
    it(name, () => withModel(name, length === undefined ? undefined : { length }, async (model) => {
      const expected = await Expected.read(name);
      for (const input of ['full', 'short']) {
        const stored = Object.keys(values).filter((value) => expected.has(`${input}.${value}`));
        const found = await runValues(model, { ...goldenInput(expected, input), engine: spectralEngine }, stored.map((value) => values[value]));
        for (const value of stored) assertGolden(found.get(values[value])!, expected, `${input}.${value}`, 1e-4, NOISE);
        assert.ok(stored.length >= 2 || (name === 'evo2-a' && input === 'short'));
      }
    }));
  }

  it('hyenadna-hf-a: the mean of the last norm over all positions', () => withModel('hyenadna-hf-a', undefined, async (model) => {
    const expected = await Expected.read('hyenadna-hf-a');
    for (const input of ['full', 'short']) {
      const { length, ...run } = goldenInput(expected, input);
      const norm = (await runValues(model, { ...run, length }, ['final_norm'])).get('final_norm')!;
      const mean = Array.from({ length: 32 }, (_, d) => Array.from({ length }, (__, t) => norm[t * 32 + d] / length).reduce((a, b) => a + b));
      assertGolden(mean, expected, `${input}.mean_pooled`, 1e-4, NOISE);
    }
  }));

  for (const name of ['stripedhyena-a', 'evo1-a']) {
    it(`${name}: the original's long_fir_threshold is the first taps in reversed order`, () => withModel(name, { length: 64 }, async (model) => {
      const expected = await Expected.read(name);
      const [taps] = expected.get('long_fir_threshold').values;
      const filters = new Map<string, SiteFilter>();
      for (const site of model.sites) {
        const rows = await filterRows(model, site.id, 0, taps);
        for (let c = 0; c < site.channels; c++) rows.subarray(c * taps, (c + 1) * taps).reverse();
        filters.set(site.id, { site, parts: [{ channels: [0, site.channels], masked: true, mode: 'causal', filterLength: taps, rows }], measures: { filterError: 0, leak: 0, keptBins: 1, keptTaps: taps / site.taps } });
      }
      assertGolden((await runValues(model, { ...goldenInput(expected, 'full'), filters })).get('')!, expected, 'full.logits_long_fir_threshold', 1e-4, NOISE);
    }));
  }

  for (const name of ['longconv-a', 'longconv-bidir-a']) {
    it(`${name}: how many taps the threshold leaves at 0`, () => withModel(name, undefined, async (model) => {
      const rows = await filterRows(model, 'layer');
      const share = rows.filter((k) => k === 0).length / rows.length;
      assert.ok(Math.abs(share - (await Expected.read(name)).get('kernel_zero_fraction').values[0]) < 1e-6 && share > 0);
    }));
  }

  it('sashimi-a: shorter filters are the first taps', () => withModel('sashimi-a', undefined, async (model) => {
    const expected = await Expected.read('sashimi-a');
    for (const { id } of model.sites) {
      const tensor = `filters.short.${id}.layer.layer.kernel.k`;
      assertGolden(await filterRows(model, id, 0, expected.shape(tensor)[1]), expected, tensor, 1e-5);
    }
  }));

  it('ckconv-pmnist30: norms and sums of all kernels', () => withModel('ckconv-pmnist30', undefined, (model) => assertNormsAndSums(model, 'ckconv-pmnist30')));
  it('ckconv-speech30: norms and sums of all kernels', () => withModel('ckconv-speech30', undefined, (model) => assertNormsAndSums(model, 'ckconv-speech30')));
});

async function assertNormsAndSums(model: LongConvModel, name: string): Promise<void> {
  const expected = await Expected.read(name);
  for (const [b, n] of [[0, 1], [0, 2], [1, 1], [1, 2]]) {
    const [site, tensor] = [`backbone.${b}.cconv${n}`, `filters.${b}.cconv${n}`];
    const { channels, taps } = model.sites.find(({ id }) => id === site)!;
    const rows = await filterRows(model, site, 0, taps, loadEngine());
    const [norms, sums] = [new Float64Array(channels), new Float64Array(channels)];
    rows.forEach((k, i) => {
      norms[Math.floor(i / taps)] += k * k;
      sums[Math.floor(i / taps)] += k;
    });
    // In float32 in the golden file; taps of both signs nearly cancel in the sums.
    assertGolden(norms.map(Math.sqrt), expected, `${tensor}.l2`, 1e-6);
    assertGolden(sums, expected, `${tensor}.sum`, 1e-4);
  }
}
