import * as assert from 'node:assert/strict';
import { chooseForm, exportSafetensors } from '../../../extension/core/export/safetensors';
import { openModel } from '../../../extension/core/families/registry';
import { smoothInFrequency, smoothInTime } from '../../../extension/core/families/longconv/smoothing';
import type { LongConvModel } from '../../../extension/core/families/model';
import { siteFilter } from '../../../extension/core/plan/apply';
import type { ChannelMask, SurgeryPlan } from '../../../extension/core/plan/plan';
import { assertClose, noise } from '../graph/support/measure';
import { fft, spectralEngine } from '../plan/support/spectral-engine';
import { FINGERPRINT } from '../plan/support/plans';
import { temporaryFolder } from '../support/files';
import { Expected, GOLDEN, withModel } from './golden';
import { assertGolden, bothWays, filterRows, runValues } from './golden-runs';
import { f32, writeVariant } from './variants';

describe('LongConv layers', () => {
  it('longconv-a: filter', () => withModel('longconv-a', undefined, async (model) => {
    assertGolden(await filterRows(model, 'layer'), await Expected.read('longconv-a'), 'filters.k', 1e-5);
  }));

  it('longconv-bidir-a: smoothed filters both ways', () => withModel('longconv-bidir-a', undefined, async (model) => {
    const expected = await Expected.read('longconv-bidir-a');
    const { fwd, rev } = await bothWays(model, 'layer');
    assertGolden(fwd, expected, 'filters.k_fwd', 1e-5);
    assertGolden(rev, expected, 'filters.k_rev', 1e-5);
  }));

  for (const name of ['longconv-a', 'longconv-bidir-a']) {
    for (const [input, length] of [['full', 64], ['short', 41]] as const) {
      it(`${name}, ${input}: convolution and output`, () => withModel(name, undefined, async (model) => {
        const expected = await Expected.read(name);
        const u = Float32Array.from(expected.get(`${input}.u`).values);
        let convolved: Float32Array | undefined;
        const out = (await runValues(model, { input: u, length, onSite: ({ output }) => { convolved = Float32Array.from(output); } })).get('')!;
        assertGolden(convolved!, expected, `${input}.conv0.y`, 1e-5, 1e-6);
        assertGolden(out, expected, `${input}.out`, 1e-5);
      }));
    }
  }

  it('longconv-model-a: filters, layers and logits at both lengths', () => withModel('longconv-model-a', undefined, async (model) => {
    const expected = await Expected.read('longconv-model-a');
    for (const i of [0, 1]) assertGolden(await filterRows(model, `conv_layers.${i}`), expected, `filters.${i}.k`, 1e-5);
    for (const [name, length] of [['full', 1024], ['short', 600]] as const) {
      const input = Float32Array.from(expected.get(`${name}.input`).values);
      const values = await runValues(model, { input, length, engine: spectralEngine }, ['layer0.out', '']);
      assertGolden(values.get('layer0.out')!, expected, `${name}.layer0.out`, 1e-5, 1e-6);
      assertGolden(values.get('')!, expected, `${name}.logits`, 1e-5);
    }
  }));

  it('smooth in time with counted zeros, and in frequency as the transform says', () => {
    assert.deepEqual([...smoothInTime(Float64Array.of(3, 0, 0, 6), 3)], [1, 1, 2, 2]);
    const taps = Float64Array.from(noise(16, 5));
    const re = Float64Array.from(taps);
    const im = new Float64Array(16);
    fft(re, im, -1);
    const weights = [-1, 0, 1].map((o) => Math.exp(-0.5 * o * o));
    const smooth = (x: Float64Array): Float64Array => Float64Array.from({ length: 9 }, (_, f) => weights.reduce((sum, w, i) => sum + w * (f + i - 1 >= 0 && f + i - 1 <= 8 ? x[f + i - 1] : 0), 0));
    const [sre, sim] = [smooth(re), smooth(im)];
    const full = { re: new Float64Array(16), im: new Float64Array(16) };
    for (let f = 0; f <= 8; f++) {
      full.re[f] = full.re[(16 - f) % 16] = sre[f];
      full.im[f] = f % 8 === 0 ? 0 : sim[f];
      if (f % 8 !== 0) full.im[16 - f] = -sim[f];
    }
    fft(full.re, full.im, 1);
    assertClose(smoothInFrequency(taps, 3), full.re.map((x) => x / 16), 1e-12);
    assert.equal(smoothInFrequency(Float64Array.of(1, 2, 3, 4, 5), 3).length, 4);
  });
});

describe('LongConv layers of an odd number of taps, smoothed in frequency', () => {
  const folder = temporaryFolder();
  it('lose the last tap of each half, and keep their length', async () => {
    const [taps, width, lam] = [33, 32, 0.01];
    const kernel = noise(2 * width * taps, 4);
    const config = { bidirectional: true, lam, use_ma_smoothing: true, smooth_freq: true, ma_window_len: 5 };
    const model = await openModel(await writeVariant(GOLDEN('longconv-bidir-a'), folder.file('odd'), { put: [f32('kernel.kernel', [2, width, taps], kernel)], config }));
    assert.deepEqual([model.maxLength, model.sites[0].taps], [taps, taps]);
    const shaped = (row: number): number[] =>
      [...smoothInFrequency(Float64Array.from(kernel.subarray(row * taps, (row + 1) * taps)), 5)].map((k) => Math.sign(k) * Math.max(Math.abs(k) - lam, 0));
    // The original pads the halves by the length of the input, the reversed one in front.
    const wanted = Array.from({ length: width }, (_, h) => [...shaped(h), 0, ...shaped(width + h).reverse(), 0]).flat();
    assertClose(await filterRows(model, 'layer'), wanted, 1e-6);
    await model.close();
  });
});

describe('LongConv layers, written back exactly', () => {
  const folder = temporaryFolder();
  const grid = { fftSize: 128, factors: [16, 8], taps: 64 };
  const lowpass: ChannelMask = { frequency: { grid, symmetry: 'conjugate', keep: { kind: 'lowpass', fraction: 0.5 } } };
  const CASES: readonly (readonly [name: string, masks: ChannelMask[], recausalise: boolean])[] = [
    ['longconv-a', [{ partial: { taps: 20, taper: 4 } }], false],
    ['longconv-a', [lowpass], true],
    ['longconv-bidir-a', [{ channels: [3, 9], partial: { taps: 11 } }], false],
    ['longconv-bidir-a', [lowpass], false],
    ['longconv-model-a', [{ partial: { taps: 100 } }], false],
  ];
  for (const [name, masks, recausalise] of CASES) {
    it(`${name}: ${'partial' in masks[0] ? 'cut' : 'lowpass'}`, () => withModel(name, undefined, async (model) => {
      const plan: SurgeryPlan = { version: 1, model: { path: 'm', family: 'longconv', fingerprint: FINGERPRINT }, sites: model.sites.map(({ id }) => ({ site: id, masks })) };
      const filters = new Map(await Promise.all(model.sites.map(async (site) => [site.id, await siteFilter(model, site, masks, spectralEngine, { recausalise })] as const)));
      assert.equal(chooseForm(model, plan, undefined, recausalise), 'exact');
      const output = folder.file('model.safetensors');
      await exportSafetensors({ model, plan, filters, form: 'exact', recausalise, output });
      const again: LongConvModel = await openModel(output);
      try {
        for (const site of again.sites) {
          assert.equal(site.embedded, undefined);
          const wanted = filters.get(site.id)!;
          const [{ rows, filterLength }] = (await siteFilter(again, site, [], spectralEngine, { recausalise: false })).parts;
          const values: number[] = [];
          const wantedValues: number[] = [];
          for (const part of wanted.parts) {
            for (let c = part.channels[0]; c < part.channels[1]; c++) {
              const at = (j: number): number => rows[c * filterLength + (j < 0 ? filterLength + j : j)];
              const want = (j: number): number => part.rows[(c - part.channels[0]) * part.filterLength + (j < 0 ? part.filterLength + j : j)];
              const half = part.mode === 'causal' ? part.filterLength : part.filterLength / 2;
              for (let j = part.mode === 'causal' ? 0 : -half; j < half; j++) {
                values.push(at(j));
                wantedValues.push(want(j));
              }
            }
          }
          assertClose(values, wantedValues, 1e-6);
        }
      } finally {
        await again.close();
      }
    }));
  }

  it('is refused where the mask leaves lags that a causal filter has no taps for', () => withModel('longconv-a', undefined, async (model) => {
    const plan: SurgeryPlan = { version: 1, model: { path: 'm', family: 'longconv', fingerprint: FINGERPRINT }, sites: [{ site: 'layer', masks: [lowpass] }] };
    assert.throws(() => chooseForm(model, plan, 'exact'), /cannot be exported as "exact": the frequency mask of layer leaves energy at negative lags/);
    assert.equal(chooseForm(model, plan), 'baked');
  }));
});
