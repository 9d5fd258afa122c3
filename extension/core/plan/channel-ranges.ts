import type { ConvolutionSpec } from '../engine/engine';
import type { Site } from '../families/model';
import { effectiveGain, keptBins } from '../masks/symmetry';
import type { ChannelMask } from './plan';

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
export interface FilterForm {
  readonly mode: ConvolutionSpec['mode'];
  readonly filterLength: number;
  readonly grid?: ConvolutionSpec['grid'];
}

/**
 * The form follows from the mask alone, so that a plan and its baked export agree on it. A frequency mask gives N circular
 * lags on its grid; re-causalised, the lags 0..taps-1 of the grid; followed by a partial mask, the K lags kept.
 */
export function filterForm(mask: ChannelMask | undefined, site: Pick<Site, 'taps'>, recausalise: boolean): FilterForm {
  if (mask?.partial !== undefined) {
    return { mode: 'causal', filterLength: mask.partial.taps };
  }
  if (mask?.frequency === undefined) {
    return { mode: 'causal', filterLength: site.taps };
  }
  const { fftSize, factors, taps } = mask.frequency.grid;
  if (recausalise) {
    return { mode: 'causal', filterLength: taps };
  }
  return { mode: 'grid', filterLength: fftSize, grid: { fftSize, factors, kept: keptBins(effectiveGain(mask.frequency)) } };
}
