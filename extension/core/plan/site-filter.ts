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

/**
 * causal, grid, circular: as the engine's modes (ConvolutionSpec). bidirectional: rows of 2K columns, lag j >= 0 in column j and lag -j in
 * column 2K - j; y[t] = sum_{|j| < K} k[j] u[t-j], u zero outside the input.
 */
export type FilterMode = ConvolutionSpec['mode'] | 'bidirectional';

export interface FilterPart {
  /** Half-open channel range. */
  readonly channels: readonly [number, number];
  readonly masked: boolean;
  readonly mode: FilterMode;
  /** Row length of `rows`. */
  readonly filterLength: number;
  /** Circular only: lags of this size and beyond, counted both ways around the ring, are 0. */
  readonly reach?: number;
  readonly rows: Float32Array;
  readonly grid?: ConvolutionSpec['grid'];
}

/** What a mask did to a site's filter, over all its channels. */
export interface MaskMeasures {
  /** ||k' - k|| / ||k|| over lags 0..taps-1. */
  readonly filterError: number;
  /** Energy at negative lags / total energy of the masked filter, before re-causalising; 0 where the convolution is not causal anyway. */
  readonly leak: number;
  /** Share of the N frequency bins with a gain above 0, averaged over channels; 1 without a frequency mask. */
  readonly keptBins: number;
  /** Share of the taps kept, averaged over channels; 1 without a partial mask. */
  readonly keptTaps: number;
}
