import type { OptionOverrides } from '../families/model';
import type { SurgeryPlan, Symmetry } from '../plan/plan';
import type { DeviceInfo, ValidationReport } from '../validation/report';
import type { MaskSetting } from '../search/mask-setting';
import type { Interval } from '../validation/statistics';

/** Requests and results of the two jobs that try many masks: `sweep` and `search`. Paths are absolute. */
export type { MaskSetting };

/** Quality of one variant of the model on the windows. */
export interface Loss {
  /** Nats per token. */
  readonly nll: number;
  readonly perplexity: number;
  /** nll minus the dense model's, with a paired bootstrap 95% interval over windows. */
  readonly nllDifference: Interval;
}

export interface TrialRequest {
  readonly model: string;
  readonly options?: OptionOverrides;
  /** FASTA, text or safetensors, by extension. */
  readonly data: string;
  /** Tokens of a window; default: the model's. */
  readonly length?: number;
  /** At most so many windows, evenly spaced over the data. */
  readonly windows?: number;
  /** Glob of the sites that may be masked. */
  readonly sites?: string;
  readonly backend: 'auto' | 'cpu' | 'cuda';
  readonly threads?: number;
  /** Files that the caller will write the result to: refused before the work where they cannot be written, or are read here. */
  readonly writes?: readonly string[];
}

export interface SweepRequest extends TrialRequest {
  readonly partial?: readonly number[];
  readonly lowpass?: readonly number[];
  readonly blocks?: readonly (readonly number[])[];
  readonly comb?: readonly number[];
  /** Also every combination of a cut in time with a frequency pattern. */
  readonly combine?: boolean;
  readonly symmetry?: Symmetry;
  /** Each site alone, in place of all of them together. */
  readonly eachSite?: boolean;
  /** File that keeps the finished rows until the sweep is complete. */
  readonly journal?: string;
  /** Forgets what an earlier, unfinished sweep left in the journal. */
  readonly fresh?: boolean;
}

/** Quality and speed of one setting; the contract's `mask`, `masked`, `recausalised` and `speedup`, with additions. */
export interface SweepRow {
  /** e.g. "partial:64", "block:8.8.8:conjugate", "lowpass:0.5+partial:64". */
  readonly mask: string;
  /** "all", or the one site that is masked. */
  readonly sites: string;
  /** Identifies the row within its sweep. */
  readonly key: string;
  readonly label: string;
  readonly setting: MaskSetting;
  readonly dense: { readonly nll: number; readonly perplexity: number };
  readonly masked: Loss;
  readonly recausalised: Loss;
  /** Dense time of all long convolutions of the model / their time with this setting, measured. */
  readonly speedup: number;
  readonly convolutions: { readonly dense_ms: number; readonly masked_ms: number };
  /** Largest of the masked sites. */
  readonly filterError: number;
  readonly leak: number;
  /** Means over the masked sites. */
  readonly keptBins: number;
  readonly keptTaps: number;
  /** No other row is both faster and better. */
  readonly pareto: boolean;
}

export interface SweepResult {
  readonly rows: readonly SweepRow[];
  /** Rows that an earlier, unfinished run had left. */
  readonly resumed: number;
  readonly windows: number;
  readonly length: number;
  readonly device: DeviceInfo;
}

export interface SearchRequest extends TrialRequest {
  /** Most that the perplexity may rise by, in percent of the dense model's. */
  readonly budget: number;
  /** Where the plan will be saved: its model path is made relative to this file's folder. */
  readonly planPath: string;
  /** Joint measurements after the first plan. */
  readonly tries?: number;
}

/** One measurement of a search. */
export interface SearchTry {
  readonly phase: 'sensitivity' | 'greedy' | 'refine' | 'check';
  /** Masks by site, in words; sites that are not listed are dense. */
  readonly masks: readonly { readonly site: string; readonly mask: string }[];
  /** Rise of the perplexity in percent, of the worse of the masked and the re-causalised model. */
  readonly change: number;
  /** Of all long convolutions of the model, measured. */
  readonly speedup: number;
  readonly accepted: boolean;
}

export interface SearchResult {
  readonly plan: SurgeryPlan;
  readonly report: ValidationReport;
  readonly tried: readonly SearchTry[];
  readonly budget: number;
  /** Rise of the perplexity in percent over all the data. */
  readonly change: number;
  /** Of all long convolutions of the model, measured in the validation. */
  readonly speedup: number;
  /** Windows that the search itself used; the validation uses all of the data. */
  readonly searchWindows: number;
  /** What was found, in a sentence. */
  readonly verdict: string;
}
