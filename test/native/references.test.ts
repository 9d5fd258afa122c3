import * as assert from 'node:assert/strict';
import { assertClose, noise, relativeError } from '../unit/graph/support/measure';
import type { ConvolutionSpec } from '../../extension/core/engine/engine';
import { allCases } from './support/cases';
import { expectedOutput } from './support/convolution-reference';
import { fft } from './support/fft';
import { signals } from './support/signals';
import type { Signals } from './support/signals';

/** The float64 references of this suite against plain sums, so that nothing rests on the transform that they share. */
describe('float64 references', () => {
  it('FFT is the Fourier sum, and its inverse gives the signal back', () => {
    for (const n of [1, 2, 4, 8, 64, 512]) {
      const x = [Float64Array.from(noise(n, n)), Float64Array.from(noise(n, n + 1))];
      const re = x[0].slice();
      const im = x[1].slice();
      fft(re, im);
      const sumRe = new Float64Array(n);
      const sumIm = new Float64Array(n);
      for (let f = 0; f < n; f++) {
        for (let t = 0; t < n; t++) {
          const angle = (-2 * Math.PI * ((f * t) % n)) / n;
          sumRe[f] += x[0][t] * Math.cos(angle) - x[1][t] * Math.sin(angle);
          sumIm[f] += x[0][t] * Math.sin(angle) + x[1][t] * Math.cos(angle);
        }
      }
      assertClose(re, sumRe, 1e-13);
      assertClose(im, sumIm, 1e-13);
      fft(im, re);
      assertClose(re.map((value) => value / n), x[0], 1e-14);
      assertClose(im.map((value) => value / n), x[1], 1e-14);
    }
  });

  for (const length of [1, 2, 9, 64, 150]) {
    it(`convolution is the direct sum, ${length} samples`, () => {
      for (const { name, make } of allCases(length)) {
        const { spec, filter: makeFilter } = make(2);
        const filter = makeFilter();
        for (const call of [signals(3, 2, length, false), signals(3, 2, length, true)]) {
          // Dropped bins of a grid filter are 0 only up to the rounding of its rows to float32.
          const tolerance = spec.mode === 'grid' ? 2e-7 : 1e-13;
          assert.ok(relativeError(expectedOutput(spec, filter, call), directSum(spec, filter, call)) <= tolerance, name);
        }
      }
    });
  }

  it('an all-zero output is off by 1', () => {
    const { input } = signals(1, 2, 100, false);
    assert.equal(relativeError(new Float32Array(input.length), input), 1);
    assert.throws(() => relativeError(input, new Float32Array(input.length)), /all zero/);
    assert.throws(() => relativeError(new Float32Array(input.length).fill(NaN), input), /not finite/);
  });
});

/** The equations of engine.ts, term by term. */
function directSum({ mode, channels, filterLength }: ConvolutionSpec, filter: Float32Array, { input, preGate, postGate, skip, batch, length }: Signals): Float64Array {
  const output = new Float64Array(input.length);
  for (let row = 0; row < batch * channels; row++) {
    const channel = row % channels;
    const k = (j: number): number => filter[channel * filterLength + j];
    const u = (t: number): number => input[row * length + t] * (preGate ? preGate[row * length + t] : 1);
    for (let t = 0; t < length; t++) {
      let y = skip ? skip[channel] * u(t) : 0;
      switch (mode) {
        case 'causal':
          for (let j = 0; j <= Math.min(t, filterLength - 1); j++) y += k(j) * u(t - j);
          break;
        case 'circular':
          for (let j = 0; j < filterLength; j++) y += k(j) * u((((t - j) % length) + length) % length);
          break;
        case 'grid':
          for (let s = 0; s < length; s++) y += k((t - s + filterLength) % filterLength) * u(s);
          break;
      }
      output[row * length + t] = y * (postGate ? postGate[row * length + t] : 1);
    }
  }
  return output;
}
