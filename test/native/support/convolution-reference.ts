import type { ConvolutionSpec } from '../../../extension/core/engine/engine';
import { powerOfTwoAtLeast } from '../../../extension/core/masks/grid';
import { fft } from './fft';
import type { Signals } from './signals';

/** What a call must write, in float64: gates, convolution, skip term, in the order that engine.ts says. */
export function expectedOutput(spec: ConvolutionSpec, filter: Float32Array, signals: Signals): Float64Array {
  return withSkipAndGate(convolve(spec, filter, gatedInput(signals), signals.batch, signals.length), signals, spec.channels);
}

/** input * preGate */
export function gatedInput({ input, preGate }: Signals): Float64Array {
  const gated = new Float64Array(input);
  if (preGate) {
    for (let i = 0; i < gated.length; i++) gated[i] *= preGate[i];
  }
  return gated;
}

/** (convolved + skip * input * preGate) * postGate, in place. */
export function withSkipAndGate(convolved: Float64Array, signals: Signals, channels: number): Float64Array {
  const { skip, postGate, length } = signals;
  if (skip) {
    const gated = gatedInput(signals);
    for (let row = 0; row * length < convolved.length; row++) {
      const factor = skip[row % channels];
      for (let i = row * length; i < (row + 1) * length; i++) convolved[i] += factor * gated[i];
    }
  }
  if (postGate) {
    for (let i = 0; i < convolved.length; i++) convolved[i] *= postGate[i];
  }
  return convolved;
}

/**
 * The convolution of engine.ts alone, by float64 FFTs: `input` [batch, channels, length], `filter` [channels, filterLength].
 * Two rows of the batch share a filter, so they travel as the real and imaginary part of one transform.
 */
export function convolve(spec: ConvolutionSpec, filter: Float32Array, input: Float64Array, batch: number, length: number): Float64Array {
  const { channels, filterLength } = spec;
  const size = spec.grid ? spec.grid.fftSize : powerOfTwoAtLeast(2 * length);
  const output = new Float64Array(input.length);
  const kr = new Float64Array(size);
  const ki = new Float64Array(size);
  const re = new Float64Array(size);
  const im = new Float64Array(size);
  for (let channel = 0; channel < channels; channel++) {
    filterSpectrum(spec, filter.subarray(channel * filterLength, (channel + 1) * filterLength), length, kr, ki);
    for (let b = 0; b < batch; b += 2) {
      const first = (b * channels + channel) * length;
      const second = b + 1 < batch ? first + channels * length : -1;
      re.fill(0);
      im.fill(0);
      re.set(input.subarray(first, first + length));
      if (second >= 0) im.set(input.subarray(second, second + length));
      fft(re, im);
      for (let f = 0; f < size; f++) {
        const real = re[f] * kr[f] - im[f] * ki[f];
        im[f] = re[f] * ki[f] + im[f] * kr[f];
        re[f] = real;
      }
      fft(im, re);
      const wrapped = spec.mode === 'circular';
      for (let t = 0; t < length; t++) {
        output[first + t] = (re[t] + (wrapped ? re[t + length] : 0)) / size;
        if (second >= 0) output[second + t] = (im[t] + (wrapped ? im[t + length] : 0)) / size;
      }
    }
  }
  return output;
}

/** Spectrum of the lags that can act, dropped bins exactly 0. */
function filterSpectrum(spec: ConvolutionSpec, row: Float32Array, length: number, re: Float64Array, im: Float64Array): void {
  re.fill(0);
  im.fill(0);
  switch (spec.mode) {
    case 'grid':
      re.set(row);
      break;
    case 'causal':
      re.set(row.subarray(0, length));
      break;
    case 'circular':
      for (let j = 0; j < row.length; j++) re[j % length] += row[j];
      break;
  }
  fft(re, im);
  if (spec.grid) {
    const n = spec.grid.fftSize;
    for (let f = 0; f < n; f++) {
      if (!spec.grid.kept[Math.min(f, n - f)]) re[f] = im[f] = 0;
    }
  }
}
