import type { InstructionSet, SampleType } from '../engine/engine';
import type { Direction, Task } from '../families/model';

/** The result of `validate`; JSON as in schemas/validation-report.schema.json. Contract of design section 5, with additions. */
export interface ValidationReport {
  readonly version: 1;
  readonly tool: string;
  readonly created: string;
  readonly model: { readonly path: string; readonly family: string; readonly fingerprint: string; readonly parameters: number; readonly notes: readonly string[] };
  readonly plan: { readonly path: string; readonly sites: number };
  /** What the quality figures are about: every token after its past, hidden tokens, or one class for each example. */
  readonly task?: Task;
  /** null when no data was given: then there are no quality figures. */
  readonly data: { readonly path: string; readonly kind: 'fasta' | 'text' | 'safetensors'; readonly records: number } | null;
  readonly windows: number;
  readonly length: number;
  readonly dense?: Quality;
  readonly masked?: MaskedQuality;
  readonly recausalised?: MaskedQuality;
  /** ||y' - y|| / ||y|| of the model's whole output on the data; absent without data. */
  readonly outputError?: { readonly masked: number; readonly recausalised: number };
  readonly sites: readonly SiteReport[];
  readonly wholeModel?: { readonly dense: Timing; readonly masked: Timing; readonly recausalised?: Timing; readonly tokens: number };
  readonly device: DeviceInfo;
  /** Plain-language findings: leak warnings, masks that do not pay. */
  readonly findings: readonly string[];
  /** What the figures mean together, in a sentence. */
  readonly verdict: Verdict;
}
/** pays: faster at no loss that the data shows; costs: faster, and worse; useless: not faster; none: nothing is masked. */
export interface Verdict { readonly kind: 'pays' | 'costs' | 'useless' | 'none'; readonly text: string }
export interface Quality {
  /** Mean negative log-likelihood per token, nats. */
  readonly nll: number;
  readonly perplexity: number;
  readonly bitsPerToken: number;
  /** Share of positions whose most likely token is the target. */
  readonly top1: number;
  readonly tokens: number;
}
export interface MaskedQuality extends Quality {
  /** Mean KL(dense || masked) per token, nats. */
  readonly kl: number;
  /** masked - dense nll, with a paired bootstrap 95% interval over windows. */
  readonly nllDifference: { readonly mean: number; readonly low: number; readonly high: number };
}
export interface Timing { readonly median_ms: number; readonly mad_ms: number; readonly samples: number }
export interface SiteReport {
  readonly site: string;
  readonly channels: number;
  readonly taps: number;
  readonly direction?: Direction;
  readonly filterError: number;
  /** ||y' - y|| / ||y|| of the convolution's output on real activations of the dense model; null without data. */
  readonly outputError: number | null;
  readonly recausalisedOutputError: number | null;
  /** Energy at negative lags / total energy; 0 where the convolution is not causal, so that nothing can leak. */
  readonly leak: number;
  readonly keptBins: number;
  readonly keptTaps: number;
  readonly dense: Timing;
  readonly masked: Timing;
  readonly recausalised: Timing;
  readonly predictedSpeedup: number;
  /** Of the kernels, without the way to their threads and back. */
  readonly measuredSpeedup: number;
  /** Kernels that ran. */
  readonly algorithms: { readonly dense: string; readonly masked: string };
}
/** `instructionSet`: of the CPU kernels; on a GPU, the element type of its products and convolutions. `threads`: of the processor. */
export interface DeviceInfo { readonly backend: 'cpu' | 'cuda'; readonly name: string; readonly instructionSet: InstructionSet | SampleType; readonly threads: number; /** Set when another backend was asked for or available. */ readonly note?: string }
