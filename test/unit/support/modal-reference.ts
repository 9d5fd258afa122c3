import type { ModalFilterRequest } from '../../../extension/core/engine/engine';

/** The modal filter by its equation, in float64, every lag by an exponential of its own. */
export function modalFilter({ channels, states, logPoles, residues, direct, delay = 0, first, count, output }: ModalFilterRequest): void {
  for (let c = 0; c < channels; c++) {
    for (let j = 0; j < count; j++) {
      const lag = first + j;
      let sum = lag === 0 ? (direct?.[c] ?? 0) : 0;
      for (let s = c * states; s < (c + 1) * states && lag >= delay; s++) {
        const t = lag - delay;
        const growth = t === 0 ? 1 : Math.exp(t * logPoles.re[s]);
        const angle = t * (logPoles.im?.[s] ?? 0);
        sum += growth * (residues.re[s] * Math.cos(angle) - (residues.im?.[s] ?? 0) * Math.sin(angle));
      }
      output[c * count + j] = sum;
    }
  }
}
