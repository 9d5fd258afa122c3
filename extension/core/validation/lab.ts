import type { TokenWindow } from '../data/data';
import type { SiteFilter } from '../plan/site-filter';
import type { QualityMeter } from './metrics';
import type { SiteReport, Timing } from './report';

/** Filters of all sites in the three variants that are compared. */
export interface FilterVariants {
  readonly dense: ReadonlyMap<string, SiteFilter>;
  /** Only the sites that the plan changes. */
  readonly masked: ReadonlyMap<string, SiteFilter>;
  readonly recausalised: ReadonlyMap<string, SiteFilter>;
}

export interface VariantQuality { readonly dense: QualityMeter; readonly masked: QualityMeter; readonly recausalised: QualityMeter }
export type SiteTimes = Pick<SiteReport, 'dense' | 'masked' | 'recausalised' | 'predictedSpeedup' | 'algorithms'>;

/** The three variants of a model on one device: what `validate` measures, it measures here. */
export interface Lab {
  /** Runs all variants over the windows, one window at a time: long windows bound the memory, and no window's numbers depend on another. */
  quality(windows: readonly TokenWindow[], onWindow: (done: number) => void): Promise<VariantQuality>;
  /** ||y' - y|| / ||y|| of a site's output over the windows of `quality`; null before any. Gates and skip term are part of the output. */
  outputErrors(site: string): { readonly masked: number | null; readonly recausalised: number | null };
  /** Times of one changed site's convolution on random signals, one row of the run's length. */
  timeSite(site: string): Promise<SiteTimes>;
  /** Times of the whole model on these tokens: dense, masked, re-causalised. */
  timeModel(ids: Int32Array): Promise<[Timing, Timing, Timing]>;
  dispose(): Promise<void>;
}

/** Sites of the dense model with those of a variant in place of them. */
export const withChanged = (dense: ReadonlyMap<string, SiteFilter>, changed: ReadonlyMap<string, SiteFilter>): Map<string, SiteFilter> =>
  new Map([...dense, ...changed]);
