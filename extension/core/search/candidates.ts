import { defaultGrid } from '../masks/grid';
import type { GridRequest } from '../masks/grid';
import { binsOfFraction } from '../masks/patterns';
import type { ChannelMask } from '../plan/plan';

/** Fewest taps that a cut keeps. */
const FEWEST_TAPS = 4;

/**
 * Masks that a search tries on a site, mild to strong within each kind: cuts in time at 3/4, 1/2, 3/8 ... of the run length T (samples at
 * the site), the lower part of the spectrum, and whole comb rows, which the kernels skip. Re-causalised, a frequency mask is dense, so
 * cut and pattern are not combined: the cut alone is as fast and keeps more.
 */
export function candidateMasks(request: GridRequest, length: number): ChannelMask[][] {
  const cuts: ChannelMask[] = [];
  const longest = Math.min(request.siteTaps, length);
  for (let taps = longest; taps >= FEWEST_TAPS; taps = Math.floor(taps / 2)) {
    for (const share of [taps, Math.round(taps * 0.75)]) {
      if (share < longest && share >= FEWEST_TAPS) cuts.push({ partial: { taps: share } });
    }
  }
  return [cuts, ...frequencyMasks(request)];
}

function frequencyMasks(request: GridRequest): ChannelMask[][] {
  const grid = defaultGrid(request);
  const combs: ChannelMask[] = [];
  for (let rows = Math.floor(grid.factors[0] / 2); rows >= 1; rows = Math.floor(rows / 2)) {
    combs.push({ frequency: { grid, symmetry: 'conjugate', keep: { kind: 'comb', rows } } });
  }
  const bands: ChannelMask[] = [];
  for (let fraction = 1 / 2; binsOfFraction(fraction, grid.fftSize) >= 2 && fraction >= 1 / 64; fraction /= 2) {
    bands.push({ frequency: { grid, symmetry: 'conjugate', keep: { kind: 'lowpass', fraction } } });
  }
  return [combs, bands];
}
