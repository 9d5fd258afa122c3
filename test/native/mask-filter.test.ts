import * as assert from 'node:assert/strict';
import type { MaskedFilter, MaskFilterRequest } from '../../extension/core/engine/engine';
import { assertClose, noise } from '../unit/graph/support/measure';
import { spectralEngine } from '../unit/plan/support/spectral-engine';
import { engine } from './support/engine';

const SUMS = ['energy', 'errorEnergy', 'maskedEnergy', 'leakEnergy'] as const;
const WANTS = ['none', 'causal', 'grid'] as const;

/** The spectral engine writes the equations of engine.ts in plain float64. */
async function compare(request: MaskFilterRequest): Promise<void> {
  const actual = await engine.maskFilter(request);
  const expected = await spectralEngine.maskFilter(request);
  for (const name of SUMS) assertSum(actual, expected, name);
  if (request.want === 'none') {
    assert.equal(actual.masked, undefined);
    return;
  }
  assert.ok(actual.masked instanceof Float32Array);
  // Both round float64 results to float32: nothing but a last-digit tie may differ.
  assertClose(actual.masked, expected.masked!, 1e-7);
}

/** Relative to each channel's energy: a sum that should be 0 is 0 up to float64 rounding. */
function assertSum(actual: MaskedFilter, expected: MaskedFilter, name: (typeof SUMS)[number]): void {
  assert.ok(actual[name] instanceof Float64Array && actual[name].length === expected[name].length, name);
  actual[name].forEach((value, channel) => {
    const off = Math.abs(value - expected[name][channel]);
    const allowed = 1e-9 * expected[name][channel] + 1e-24 * expected.energy[channel];
    assert.ok(off <= allowed, `${name}[${channel}] is ${value}, not ${expected[name][channel]}`);
  });
}

/** Gains in {0, 1/2, 1}, the first bins mostly kept. */
function gains(fftSize: number, seed: number): Float64Array {
  return Float64Array.from(noise(fftSize / 2 + 1, seed), (x, bin) => (bin < fftSize / 16 || x > 0.3 ? 1 : x > 0 ? 0.5 : 0));
}

describe('maskFilter against float64', () => {
  const shapes = [
    { taps: 1, fftSize: 2 }, { taps: 2, fftSize: 4 }, { taps: 5, fftSize: 16 }, { taps: 64, fftSize: 128 }, { taps: 100, fftSize: 256 }, { taps: 333, fftSize: 2048 },
    { taps: 1000, fftSize: 2048 }, { taps: 1026, fftSize: 4096 }, { taps: 64, fftSize: 64 }, { taps: 200, fftSize: 256 }, { taps: 8191, fftSize: 16384 },
  ];
  for (const { taps, fftSize } of shapes) {
    for (const want of WANTS) {
      it(`${taps} taps, ${fftSize} points, ${want}`, async () => {
        for (const channels of [1, 7]) {
          const filter = noise(channels * taps, taps);
          const frequency = { fftSize, gain: gains(fftSize, taps + 3) };
          await compare({ filter, channels, taps, frequency, want });
          for (const lags of [1, Math.ceil(taps / 2), taps, Math.min(taps + 3, fftSize)]) {
            const lagWeights = Float64Array.from(noise(lags, lags + 9), Math.abs);
            await compare({ filter, channels, taps, frequency, lagWeights, want });
            if (want !== 'grid' && lags <= taps) await compare({ filter, channels, taps, lagWeights, want });
          }
          if (want !== 'grid') await compare({ filter, channels, taps, want });
        }
      });
    }
  }

  it('64 channels with gains of their own nature: all, none, one bin, negative', async () => {
    const channels = 64;
    const filter = noise(channels * 50, 5);
    const bins = 65;
    for (const gain of [
      new Float64Array(bins).fill(1), Float64Array.from({ length: bins }, (_, f) => (f === 64 ? 1 : 0)),
      Float64Array.from({ length: bins }, (_, f) => (f === 0 ? 1 : 0)), Float64Array.from({ length: bins }, (_, f) => Math.cos(f)),
    ]) await compare({ filter, channels, taps: 50, frequency: { fftSize: 128, gain }, want: 'grid' });
  });

  it('a mask that keeps everything changes no bit and has no error and no leak', async () => {
    const filter = noise(3 * 777, 8);
    const result = await engine.maskFilter({ filter, channels: 3, taps: 777, frequency: { fftSize: 2048, gain: new Float64Array(1025).fill(1) }, want: 'causal' });
    assert.deepEqual(result.masked, filter);
    for (let c = 0; c < 3; c++) {
      assert.ok(result.errorEnergy[c] <= 1e-24 * result.energy[c]);
      assert.ok(result.leakEnergy[c] <= 1e-24 * result.energy[c]);
    }
  });

  it('a mask that keeps nothing leaves zeros', async () => {
    const filter = noise(2 * 100, 8);
    const result = await engine.maskFilter({ filter, channels: 2, taps: 100, frequency: { fftSize: 256, gain: new Float64Array(129) }, want: 'grid' });
    assert.equal(result.masked!.length, 512);
    assert.ok(result.masked!.every((value) => value === 0));
    assert.deepEqual([...result.maskedEnergy], [0, 0]);
    assertClose(result.errorEnergy, result.energy, 1e-12);
  });

  it('dropped bins of grid rows are 0 to float32 rounding, kept bins unchanged', async () => {
    const gain = gains(1024, 3).map((g) => (g === 1 ? 1 : 0));
    const filter = noise(500, 4);
    const { masked } = await engine.maskFilter({ filter, channels: 1, taps: 500, frequency: { fftSize: 1024, gain }, want: 'grid' });
    const before = await engine.spectrum(filter, 500, 1024);
    const after = await engine.spectrum(masked!, 1024, 1024);
    assertClose(after, before.map((value, f) => value * gain[f]), 1e-6);
  });

  it('leaves its arguments as they were, and gives the same bits again', async () => {
    const request = { filter: noise(640, 1), channels: 10, taps: 64, frequency: { fftSize: 128, gain: gains(128, 2) }, lagWeights: new Float64Array(64).fill(0.5), want: 'grid' } as const;
    const copy = structuredClone(request);
    const first = await engine.maskFilter(request);
    assert.deepEqual(request, copy);
    assert.deepEqual(await engine.maskFilter(request), first);
  });
});

describe('spectrum against float64', () => {
  for (const [taps, fftSize] of [[1, 2], [3, 4], [64, 64], [64, 128], [1000, 2048], [1026, 4096], [77, 8192]]) {
    it(`${taps} taps, ${fftSize} points`, async () => {
      for (const rows of [1, 2, 7]) {
        const values = noise(rows * taps, taps + rows);
        const actual = await engine.spectrum(values, taps, fftSize);
        assert.equal(actual.length, rows * (fftSize / 2 + 1));
        assertClose(actual, await spectralEngine.spectrum(values, taps, fftSize), 1e-7);
      }
    });
  }

  it('is flat for an impulse and one line for a constant', async () => {
    const impulse = await engine.spectrum(Float32Array.of(0, 0, 3, 0), 4, 64);
    assert.ok(impulse.every((value) => Math.abs(value - 3) <= 1e-6));
    const constant = await engine.spectrum(new Float32Array(64).fill(0.5), 64, 64);
    assert.equal(constant[0], 32);
    assert.ok(constant.subarray(1).every((value) => value <= 1e-13));
  });
});
