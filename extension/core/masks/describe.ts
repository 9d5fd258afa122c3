import type { ChannelMask, FrequencyMask, FrequencyPattern, MonarchGrid, PartialMask } from '../plan/plan';
import { cellCount, cellsInSet } from './cells';
import { gridName } from './grid';

/** One line for a mask, e.g. "channels 0-63: block 8.8.8 of 2048 = 16x16x8, conjugate; first 256 taps". */
export function describeMask(mask: ChannelMask): string {
  const parts = [
    ...(mask.frequency === undefined ? [] : [describeFrequency(mask.frequency)]),
    ...(mask.partial === undefined ? [] : [describePartial(mask.partial)]),
  ];
  const what = parts.length === 0 ? 'dense' : parts.join('; ');
  return mask.channels === undefined ? what : `channels ${mask.channels[0]}-${mask.channels[1] - 1}: ${what}`;
}

/** One line for all masks of a site. */
export function describeMasks(masks: readonly ChannelMask[]): string {
  return masks.length === 0 ? 'dense' : masks.map(describeMask).join(' | ');
}

function describeFrequency(mask: FrequencyMask): string {
  // Bands are their own mirror, so symmetry says nothing about them.
  const symmetric = mask.keep.kind === 'lowpass' || mask.keep.kind === 'bandpass';
  return `${describePattern(mask.keep, mask.grid)} of ${gridName(mask.grid)}${symmetric ? '' : `, ${mask.symmetry}`}`;
}

function describePattern(keep: FrequencyPattern, grid: MonarchGrid): string {
  switch (keep.kind) {
    case 'block':
      return `block ${keep.counts.join('.')}`;
    case 'lowpass':
      return `lowpass ${keep.fraction}`;
    case 'bandpass':
      return `bandpass ${keep.from} to ${keep.to}`;
    case 'comb':
      return `comb ${keep.rows} of ${grid.factors[0]} rows`;
    case 'energy':
      return `energy ${keep.fraction} (${cellsInSet(keep.cells)} of ${cellCount(grid, keep.cells.digits)} cells)`;
    case 'cells':
      return `${cellsInSet(keep.cells)} of ${cellCount(grid, keep.cells.digits)} cells`;
  }
}

function describePartial(partial: PartialMask): string {
  const taper = partial.taper ?? 0;
  return `first ${partial.taps} tap${partial.taps === 1 ? '' : 's'}${taper > 0 ? `, taper ${taper}` : ''}`;
}
