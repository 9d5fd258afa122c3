import type { ConvolutionSpec } from '../engine/engine';
import type { Site } from '../families/model';

/**
 * A site's filter in the form the kernels run: what a plan, an embedded surgery or the plain model says, made concrete.
 * Plans and their baked exports lead to equal SiteFilters, which is why both give the same logits bit for bit.
 */
export interface SiteFilter {
  readonly site: Site;
  /** Disjoint channel ranges, ascending, covering all channels. */
  readonly parts: readonly FilterPart[];
  readonly measures: MaskMeasures;
}

export interface FilterPart {
  /** Half-open channel range. */
  readonly channels: readonly [number, number];
  readonly masked: boolean;
  readonly mode: ConvolutionSpec['mode'];
  /** Row length of `rows`. */
  readonly filterLength: number;
  readonly rows: Float32Array;
  readonly grid?: ConvolutionSpec['grid'];
}

/** What a mask did to a site's filter, over all its channels. */
export interface MaskMeasures {
  /** ||k' - k|| / ||k|| over lags 0..taps-1. */
  readonly filterError: number;
  /** Energy at negative lags / total energy of the masked filter, before re-causalising. */
  readonly leak: number;
  /** Share of the N frequency bins with a gain above 0, averaged over channels; 1 without a frequency mask. */
  readonly keptBins: number;
  /** Share of the taps kept, averaged over channels; 1 without a partial mask. */
  readonly keptTaps: number;
}
