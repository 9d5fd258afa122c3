import type { Site } from '../families/model';
import { filterColumns } from '../families/site-shape';
import { effectiveGain, keptBins } from '../masks/symmetry';
import type { ChannelMask } from './plan';
import type { FilterPart } from './site-filter';

/** Channels [first, end) that are treated alike; dense without a mask. */
export interface MaskedRange {
  readonly channels: readonly [number, number];
  readonly mask?: ChannelMask;
}

/** Disjoint ranges, ascending, that cover all channels; the masks' own ranges are ascending and disjoint (see rules.ts). */
export function channelRanges(masks: readonly ChannelMask[], channels: number): MaskedRange[] {
  const ranges: MaskedRange[] = [];
  let end = 0;
  for (const mask of masks) {
    const range = mask.channels ?? [0, channels];
    if (range[0] > end) {
      ranges.push({ channels: [end, range[0]] });
    }
    ranges.push({ channels: range, mask });
    end = range[1];
  }
  if (end < channels) {
    ranges.push({ channels: [end, channels] });
  }
  return ranges;
}

/** In which form the kernels run a masked filter: the mode, the row length and the grid of a FilterPart. */
export type FilterForm = Pick<FilterPart, 'mode' | 'filterLength' | 'reach' | 'grid'>;

/**
 * The form follows from the mask alone, so that a plan and its baked export agree on it. A frequency mask gives N circular
 * lags on its grid; re-causalised, the lags 0..taps-1 of the grid; followed by a partial mask, the K lags kept on one side or both.
 * A circular filter keeps its ring whatever is masked. There is nothing to re-causalise in a filter that is not causal.
 */
export function filterForm(mask: ChannelMask | undefined, site: Pick<Site, 'taps' | 'direction'>, recausalise: boolean): FilterForm {
  if (site.direction === 'circular') {
    return { mode: 'circular', filterLength: site.taps, ...(mask?.partial && { reach: mask.partial.taps }) };
  }
  if (site.direction === 'bidirectional' && (mask?.partial !== undefined || mask?.frequency === undefined)) {
    return { mode: 'bidirectional', filterLength: mask?.partial === undefined ? filterColumns(site) : 2 * mask.partial.taps };
  }
  if (mask?.partial !== undefined) {
    return { mode: 'causal', filterLength: mask.partial.taps };
  }
  if (mask?.frequency === undefined) {
    return { mode: 'causal', filterLength: site.taps };
  }
  const { fftSize, factors, taps } = mask.frequency.grid;
  if (recausalise && site.direction === 'causal') {
    return { mode: 'causal', filterLength: taps };
  }
  return { mode: 'grid', filterLength: fftSize, grid: { fftSize, factors, kept: keptBins(effectiveGain(mask.frequency)) } };
}
