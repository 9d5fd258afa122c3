import type { FilterPart } from '../../../../extension/core/plan/site-filter';

/**
 * A part masked on a grid by direct float64 sums: the first fftSize/2 taps of its channels' rows are transformed, every bin whose number
 * is 3 mod 4 is dropped with its mirror, and the fftSize circular lags are transformed back.
 */
export function gridPart(rows: Float32Array, taps: number, channels: readonly [number, number], fftSize: number): FilterPart {
  const kept = Uint8Array.from({ length: fftSize / 2 + 1 }, (_, f) => (f % 4 === 3 ? 0 : 1));
  const masked = new Float32Array((channels[1] - channels[0]) * fftSize);
  for (let channel = channels[0]; channel < channels[1]; channel++) {
    const k = rows.subarray(channel * taps, channel * taps + Math.min(taps, fftSize / 2));
    for (let f = 0; f <= fftSize / 2; f++) {
      if (!kept[f]) continue;
      let re = 0;
      let im = 0;
      k.forEach((x, t) => {
        const angle = (-2 * Math.PI * f * t) / fftSize;
        re += x * Math.cos(angle);
        im += x * Math.sin(angle);
      });
      const weight = (f === 0 || f === fftSize / 2 ? 1 : 2) / fftSize;
      for (let n = 0; n < fftSize; n++) {
        const angle = (2 * Math.PI * f * n) / fftSize;
        masked[(channel - channels[0]) * fftSize + n] += weight * (re * Math.cos(angle) - im * Math.sin(angle));
      }
    }
  }
  return { channels, masked: true, mode: 'grid', filterLength: fftSize, rows: masked, grid: { fftSize, factors: [2, fftSize / 2], kept } };
}
