import * as assert from 'node:assert/strict';
import { UserError } from '../../../extension/core/errors';
import { cellFlags, cellOfFrequency } from '../../../extension/core/masks/cells';
import { chooseSites, makePlan } from '../../../extension/core/plan/make';
import type { SurgeryPlan } from '../../../extension/core/plan/plan';
import { formatPlan, readPlan } from '../../../extension/core/plan/read';
import type { PlanRequest } from '../../../extension/core/protocol/kernel-host';
import { FINGERPRINT } from './support/plans';
import { spectralEngine } from './support/spectral-engine';
import { CHANNELS, FILTER, syntheticModel, TAPS } from './support/synthetic-model';

const make = (request: Partial<PlanRequest>): Promise<SurgeryPlan> =>
  makePlan(syntheticModel(), { model: '/models/synthetic.safetensors', planPath: '/plans/p.surgery.json', ...request }, spectralEngine, FINGERPRINT);

// maxLength 50: windows of 32, N = 64.
const GRID = { fftSize: 64, factors: [8, 8], taps: 32 };

describe('making plans', () => {
  it('masks every site alike and records the model', async () => {
    const plan = await make({ partial: 8, taper: 2 });
    assert.deepEqual(plan.model, { path: '../models/synthetic.safetensors', family: 'synthetic', fingerprint: FINGERPRINT, options: { shift: 0.05 } });
    assert.deepEqual(plan.sites.map(({ site }) => site), ['layers.0.mixer', 'layers.1.mixer', 'layers.10.mixer']);
    assert.deepEqual(plan.sites[0].masks, [{ partial: { taps: 8, taper: 2 } }]);
    assert.deepEqual(readPlan(formatPlan(plan), 'p'), plan);
  });

  it('without masks changes nothing', async () => {
    assert.deepEqual((await make({})).sites, []);
    assert.deepEqual((await make({ sites: 'layers.1.*' })).sites, []);
  });

  it('gives frequency masks the default grid and conjugate symmetry', async () => {
    assert.deepEqual((await make({ lowpass: 0.25 })).sites[0].masks, [{ frequency: { grid: GRID, symmetry: 'conjugate', keep: { kind: 'lowpass', fraction: 0.25 } } }]);
    assert.deepEqual((await make({ blocks: [4, 8], symmetry: 'gain' })).sites[0].masks[0].frequency, { grid: GRID, symmetry: 'gain', keep: { kind: 'block', counts: [4, 8] } });
    assert.deepEqual((await make({ comb: 3, partial: 10 })).sites[0].masks, [
      { frequency: { grid: GRID, symmetry: 'conjugate', keep: { kind: 'comb', rows: 3 } }, partial: { taps: 10 } },
    ]);
    assert.deepEqual((await make({ comb: 3, fftSize: 256 })).sites[0].masks[0].frequency?.grid, { fftSize: 256, factors: [16, 16], taps: TAPS });
    assert.deepEqual((await make({ comb: 3, fftSize: 32, factors: [4, 8] })).sites[0].masks[0].frequency?.grid, { fftSize: 32, factors: [4, 8], taps: 16 });
  });

  it('chooses the energy cells of the site by the spectra of all its channels', async () => {
    const keep = (await make({ energy: 0.8 })).sites[0].masks[0].frequency?.keep;
    assert.ok(keep?.kind === 'energy');
    const flags = cellFlags(keep.cells, GRID);
    const cells = cellOfFrequency(GRID, keep.cells.digits);
    let [kept, total] = [0, 0];
    const weakestKept = new Map<number, number>();
    for (let f = 0; f < 64; f++) {
      let energy = 0;
      for (let c = 0; c < CHANNELS; c++) {
        let [re, im] = [0, 0];
        for (let j = 0; j < GRID.taps; j++) {
          re += FILTER[c * TAPS + j] * Math.cos((2 * Math.PI * f * j) / 64);
          im += FILTER[c * TAPS + j] * Math.sin((2 * Math.PI * f * j) / 64);
        }
        energy += re * re + im * im;
      }
      total += energy;
      if (flags[cells[f]]) kept += energy;
      weakestKept.set(cells[f], (weakestKept.get(cells[f]) ?? 0) + energy);
    }
    assert.ok(kept >= 0.8 * total && kept < 0.95 * total, `kept ${kept / total}`);
    const inside = [...weakestKept].filter(([cell]) => flags[cell]).map(([, energy]) => energy);
    const outside = [...weakestKept].filter(([cell]) => !flags[cell]).map(([, energy]) => energy);
    assert.ok(Math.min(...inside) >= Math.max(...outside) * (1 - 1e-6), 'no dropped cell has more energy than a kept one');
  });

  it('chooses sites by a glob over the whole id', async () => {
    const chosen = (glob?: string): string[] => chooseSites(syntheticModel(), glob).map(({ id }) => id);
    assert.deepEqual(chosen(), ['layers.0.mixer', 'layers.1.mixer', 'layers.10.mixer']);
    assert.deepEqual(chosen('layers.1.*'), ['layers.1.mixer']);
    assert.deepEqual(chosen('layers.?.mixer'), ['layers.0.mixer', 'layers.1.mixer']);
    assert.deepEqual(chosen('*1*'), ['layers.1.mixer', 'layers.10.mixer']);
    assert.throws(() => chosen('layers'), (error: Error & { hint?: string }) =>
      error instanceof UserError && error.message === 'No site of synthetic matches "layers".' && error.hint === 'Its sites are layers.0.mixer, layers.1.mixer, layers.10.mixer.');
    assert.throws(() => chooseSites({ name: 'short', sites: [] }), /short has no long convolution that can be masked/);
    await assert.rejects(make({ partial: 8, sites: 'layers.[01].mixer' }), /No site of synthetic matches/);
  });

  const refused: [Partial<PlanRequest>, RegExp][] = [
    [{ lowpass: 0.5, comb: 3 }, /^lowpass and comb are two frequency masks/],
    [{ taper: 3 }, /A taper ends a partial mask, and there is none/],
    [{ partial: 8, fftSize: 64 }, /The FFT size belongs to a frequency mask/],
    [{ symmetry: 'gain' }, /The symmetry belongs to a frequency mask/],
    [{ partial: 51 }, /^partial: 51 taps, but the filter of layers\.0\.mixer has only 50\.$/],
    [{ partial: 8, taper: 9 }, /^taper: a taper of 9 lags does not fit into 8 taps/],
    [{ partial: 2.5 }, /partial 2\.5 is not a whole number/],
    [{ comb: 9 }, /^comb: 9 is not between 1 and 8, the rows of digit n1/],
    [{ blocks: [4, 8, 2] }, /^blocks: 3 counts for the 2 digits of the grid 8x8/],
    [{ lowpass: 1.2 }, /lowpass 1\.2 is not a fraction/],
    [{ lowpass: 0 }, /lowpass 0 is not a fraction/],
    [{ comb: 1, fftSize: 100 }, /no default grid for FFT size 100/],
    [{ comb: 1, fftSize: 64, factors: [8, 4] }, /^factors: 8 x 4 = 32, but fftSize is 64\.$/],
    [{ comb: 1, partial: 40 }, /^partial: 40 taps, but only 32 enter the grid/],
  ];
  for (const [request, message] of refused) {
    it(`refuses ${JSON.stringify(request)}`, async () => {
      await assert.rejects(make(request), (error: Error) => error instanceof UserError && message.test(error.message) || assert.fail(error.message));
    });
  }
});
