import type { Engine, MaskedFilter, MaskFilterRequest } from '../../../../extension/core/engine/engine';
import { referenceEngine } from '../../graph/support/reference-engine';

/** The engine's masking in float64 with a textbook radix-2 FFT, written from the equations in engine.ts alone. */
export const spectralEngine: Engine = {
  ...referenceEngine,
  maskFilter: async (request) => maskFilter(request),
  async spectrum(rows, taps, fftSize, part = 'magnitude') {
    const bins = fftSize / 2 + 1;
    const out = new Float32Array((rows.length / taps) * bins);
    for (let r = 0; r < rows.length / taps; r++) {
      const { re, im } = padded(rows.subarray(r * taps, (r + 1) * taps), fftSize);
      fft(re, im, -1);
      for (let f = 0; f < bins; f++) out[r * bins + f] = part === 'phase' ? Math.atan2(im[f], re[f]) : Math.hypot(re[f], im[f]);
    }
    return out;
  },
};

/** In place; sign -1: forward, without scaling; +1: inverse, without scaling. */
export function fft(re: Float64Array, im: Float64Array, sign: 1 | -1): void {
  const n = re.length;
  for (let i = 1, j = 0; i < n; i++) {
    let bit = n >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) {
      [re[i], re[j]] = [re[j], re[i]];
      [im[i], im[j]] = [im[j], im[i]];
    }
  }
  for (let size = 2; size <= n; size *= 2) {
    const half = size / 2;
    for (let k = 0; k < half; k++) {
      const wr = Math.cos((2 * Math.PI * k) / size);
      const wi = sign * Math.sin((2 * Math.PI * k) / size);
      for (let a = k; a < n; a += size) {
        const b = a + half;
        const tr = re[b] * wr - im[b] * wi;
        const ti = re[b] * wi + im[b] * wr;
        re[b] = re[a] - tr;
        im[b] = im[a] - ti;
        re[a] += tr;
        im[a] += ti;
      }
    }
  }
}

function padded(row: ArrayLike<number>, n: number): { re: Float64Array; im: Float64Array } {
  const re = new Float64Array(n);
  re.set(row);
  return { re, im: new Float64Array(n) };
}

function maskFilter({ filter, channels, taps, frequency, lagWeights, want }: MaskFilterRequest): MaskedFilter {
  const n = frequency?.fftSize ?? taps;
  const width = want === 'grid' ? n : taps;
  const masked = want === 'none' ? undefined : new Float32Array(channels * width);
  const sums = { energy: new Float64Array(channels), errorEnergy: new Float64Array(channels), maskedEnergy: new Float64Array(channels), leakEnergy: new Float64Array(channels) };
  for (let c = 0; c < channels; c++) {
    const k = filter.subarray(c * taps, (c + 1) * taps);
    const { re, im } = padded(k, n);
    if (frequency) {
      fft(re, im, -1);
      for (let f = 0; f < n; f++) {
        const gain = frequency.gain[Math.min(f, n - f)];
        re[f] *= gain;
        im[f] *= gain;
      }
      fft(re, im, 1);
      for (let f = 0; f < n; f++) re[f] /= n;
    }
    if (lagWeights) for (let j = 0; j < n; j++) re[j] *= j < lagWeights.length ? lagWeights[j] : 0;
    for (let j = 0; j < n; j++) {
      sums.maskedEnergy[c] += re[j] ** 2;
      if (frequency && j >= n / 2) sums.leakEnergy[c] += re[j] ** 2;
      if (j < taps) {
        sums.energy[c] += k[j] ** 2;
        sums.errorEnergy[c] += (re[j] - k[j]) ** 2;
      }
    }
    masked?.set(re.subarray(0, width), c * width);
  }
  return { masked, ...sums };
}
