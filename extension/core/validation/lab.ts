import type { Sample } from '../data/samples';
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

export interface VariantQuality {
  readonly dense: QualityMeter;
  readonly masked: QualityMeter;
  readonly recausalised: QualityMeter;
  /** ||y' - y|| / ||y|| of the model's whole output, over all samples. */
  readonly outputError: { readonly masked: number; readonly recausalised: number };
}
export type SiteTimes = Pick<SiteReport, 'dense' | 'masked' | 'recausalised' | 'predictedSpeedup' | 'algorithms'>;

/** The three variants of a model on one device: what `validate` measures, it measures here. */
export interface Lab {
  /** Runs all variants over the samples, one at a time: long ones bound the memory, and no sample's numbers depend on another. */
  quality(samples: readonly Sample[], onSample: (done: number) => void): Promise<VariantQuality>;
  /** ||y' - y|| / ||y|| of a site's output over the samples of `quality`; null before any. Gates and skip term are part of the output. */
  outputErrors(site: string): { readonly masked: number | null; readonly recausalised: number | null };
  /** Times of one changed site's convolution on random signals, one row of the run's length. */
  timeSite(site: string): Promise<SiteTimes>;
  /** Times of the whole model on this sample: dense, masked, re-causalised. */
  timeModel(sample: Sample): Promise<[Timing, Timing, Timing]>;
  dispose(): Promise<void>;
}

/** Sites of the dense model with those of a variant in place of them. */
export const withChanged = (dense: ReadonlyMap<string, SiteFilter>, changed: ReadonlyMap<string, SiteFilter>): Map<string, SiteFilter> =>
  new Map([...dense, ...changed]);
