/** The surgery plan: what the user edits and saves as `*.surgery.json`. Field by field as in schemas/surgery-plan.schema.json. */
export interface SurgeryPlan {
  readonly $schema?: string;
  readonly version: 1;
  readonly model: PlanModel;
  /** Sites that are changed; a site that is not listed stays dense. */
  readonly sites: readonly SitePlan[];
}

export interface PlanModel {
  /** Relative to the plan file (POSIX separators) or absolute. */
  readonly path: string;
  readonly family: string;
  /** `sha256:<hex>` of the model file. */
  readonly fingerprint: string;
  /** Choices that are not in the model file, e.g. { "shift": 0.05 }. */
  readonly options?: Readonly<Record<string, number | boolean>>;
}

export interface SitePlan {
  readonly site: string;
  /** Applied to disjoint channel ranges; a channel in no range stays dense. */
  readonly masks: readonly ChannelMask[];
}

export interface ChannelMask {
  /** Half-open [first, end); all channels when absent. */
  readonly channels?: readonly [number, number];
  /** Applied first. */
  readonly frequency?: FrequencyMask;
  /** Applied to the result of the frequency mask. */
  readonly partial?: PartialMask;
}

export interface PartialMask {
  /** K: lags 0..K-1 are kept. */
  readonly taps: number;
  /** Length in lags of the cosine taper that ends the kept part; 0 or absent: a hard cut. */
  readonly taper?: number;
}

/** The grid a frequency mask is bound to. */
export interface MonarchGrid {
  /** N, the product of the factors. */
  readonly fftSize: number;
  /** N1..Np; digit n1 is the frequency modulo N1. */
  readonly factors: readonly number[];
  /** Filter taps that enter the N-point FFT (the first `taps` of the site). */
  readonly taps: number;
}

export type Symmetry = 'conjugate' | 'gain';

export interface FrequencyMask {
  readonly grid: MonarchGrid;
  readonly symmetry: Symmetry;
  readonly keep: FrequencyPattern;
}

export type FrequencyPattern =
  /** Keep n_i < counts[i] in every digit: the paper's pattern. */
  | { readonly kind: 'block'; readonly counts: readonly number[] }
  /** Keep |f| < floor(fraction * (N/2 + 1)). */
  | { readonly kind: 'lowpass'; readonly fraction: number }
  /** Keep floor(from * (N/2 + 1)) <= |f| < floor(to * (N/2 + 1)). */
  | { readonly kind: 'bandpass'; readonly from: number; readonly to: number }
  /** Keep n1 < rows: whole rows of the first digit. */
  | { readonly kind: 'comb'; readonly rows: number }
  /** Keep the cells of most energy until this fraction of the filter's energy is reached; `cells` is the outcome, fixed when the plan is made. */
  | { readonly kind: 'energy'; readonly fraction: number; readonly cells: CellSet }
  /** Drawn by hand. */
  | { readonly kind: 'cells'; readonly cells: CellSet };

/**
 * A set of cells of the grid. `digits` lists the split digits (0 = n1), all others are whole: [0] is comb rows, [p-1] bands,
 * [0, p-1] the (comb row, band) map of the editor. A cell's index is mixed radix over the listed digits, the first listed
 * fastest; `runs` are [first, count, first, count, ...] of kept indices, ascending and disjoint.
 */
export interface CellSet {
  readonly digits: readonly number[];
  readonly runs: readonly number[];
}
