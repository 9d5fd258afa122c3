import type { TensorFile } from '../formats/tensor-file';
import type { ModelGraph } from '../graph/model-graph';
import type { Engine } from '../engine/engine';
import type { ChannelMask, SurgeryPlan } from '../plan/plan';

/** How a site's filter is kept in the model file. */
export type FilterStorage = 'explicit' | 'implicit' | 'modal';
export type Direction = 'causal' | 'bidirectional' | 'circular';
/** The ways a changed filter can be written back (design section 4, "Write-back"). */
export type WriteBack = 'exact' | 'baked' | 'sidecar' | 'refit';

/** One long convolution of a model. */
export interface Site {
  /** Stable, human-readable and matched by globs, e.g. `layers.0.mixer`. */
  readonly id: string;
  readonly layer: number;
  /** H, the number of depthwise channels. */
  readonly channels: number;
  /** L, the number of filter taps: lags 0..L-1 (causal), -L..L-1 (bidirectional), or all the L lags of a ring (circular). */
  readonly taps: number;
  /**
   * Rows of the filter (see filterColumns in site-shape.ts): causal and circular sites have L columns, lag j in column j. A bidirectional
   * site has 2L: lag j >= 0 in column j, lag -j in column 2L - j.
   */
  readonly direction: Direction;
  /** Samples at the site for each sample of the model's input, e.g. 1/4 in a tier that is pooled by 4; 1 where absent. */
  readonly rate?: number;
  /**
   * Set where the original code convolves an input of n < L samples on a ring of 2n with a filter that it does not cut to n lags, so that it
   * has another filter at every such length: taps beyond the input act on later samples, tap 2n - j at lag -j. What lies beyond the ring is
   * cut off. Of bidirectional sites, `wrapped` ones lay the half of their negative lags from column n on and add it to what is there
   * already; `cut` ones take the first 2n columns of their row. See plan/filter-of-run.ts.
   */
  readonly ringOfRun?: 'wrapped' | 'cut';
  readonly storage: FilterStorage;
  readonly writeBack: readonly WriteBack[];
  /**
   * The original PyTorch module of this site, by its name among the file's tensors, where it has the interface of Hyena's filters: filter(L)
   * gives [1, L, H], forward(x, L, k, bias) applies it. Exports come with a script that loads them into such modules.
   */
  readonly hyenaFilter?: string;
  /** Whether the filter is 0 beyond its taps by definition (a short FIR filter), so that inputs of any length run exactly. */
  readonly finite?: boolean;
  /** Tensors that generate this site's filter and nothing else. */
  readonly filterTensors: readonly string[];
  /**
   * Set when the file is a baked export whose filter still has negative lags: the filter rows are then circular
   * lags on this grid, and only the frequencies that the embedded plan keeps are non-zero.
   */
  readonly embedded?: EmbeddedFilter;
}

/** A filter that an earlier surgery left in the file. */
export interface EmbeddedFilter {
  /** Tensor that holds it: [H, taps] causal lags, or [H, fftSize] circular lags where `circular`. */
  readonly tensor: string;
  readonly circular: boolean;
  readonly channelMasks: readonly ChannelMask[];
}

/** Characters or bytes to token ids. Families with sub-word tokenizers have none and take `input_ids`. */
export interface Tokenizer {
  readonly vocabularySize: number;
  /** Token that stands for characters outside the vocabulary, where there is one. */
  readonly unknownToken?: number;
  encode(text: string): Int32Array;
}

/** Half-open ranges; `taps` counts columns of the filter's rows (see Site.direction). */
export interface TapRange { readonly channels: readonly [number, number]; readonly taps: readonly [number, number] }

/** A model whose long convolutions can be operated on. */
export interface LongConvModel {
  readonly family: string;
  /** File or folder name, for titles. */
  readonly name: string;
  readonly path: string;
  readonly file: TensorFile;
  /** What the outputs mean; next-token logits where absent. */
  readonly task?: Task;
  /** Float input: its dimensions after the batch, 'length' where the samples run. Absent: the model takes token ids [B, L]. */
  readonly floatInput?: readonly (number | 'length')[];
  /** Inputs must have a multiple of this many samples; 1 where absent. */
  readonly lengthMultiple?: number;
  /** Name of the option that says how long the filters are, where they exist at any length; longer inputs then take longer filters. */
  readonly growsWith?: string;
  /** Set when inputs of any other length than maxLength mean something else to the model. */
  readonly fixedLength?: boolean;
  /** Rows of a position embedding: longer inputs have no positions, whatever is done to the filters. Absent: no limit. */
  readonly positions?: number;
  /**
   * How many samples before the current one the layers beside the long convolutions look at, summed over the depth. Absent when an output
   * depends on more than a window of the past (attention, positions, statistics over time): then there is no sliding window.
   */
  readonly localHistory?: number;
  /** Token that stands for a hidden one, in models of task masked-token that have one. */
  readonly maskToken?: number;
  /** Set when only the sites can be used here, not the whole model: why, as what follows "it" in a sentence, e.g. "has no config.json". */
  readonly sitesOnly?: string;
  /** Set when the weights do not fit into memory together, so that every run reads them from disk layer by layer: why, as in sitesOnly. */
  readonly weightsOnDisk?: string;
  /** Number of trained parameters (buffers and shared copies not counted twice). */
  readonly parameters: number;
  readonly sites: readonly Site[];
  /** Columns of the logits; 0 for models without any. */
  readonly vocabularySize: number;
  /** Longest input the filters were made for, in tokens. */
  readonly maxLength: number;
  readonly tokenizer?: Tokenizer;
  /** Choices that are not in the file and change results, with where their value came from. */
  readonly options: readonly ModelOption[];
  /** One sentence each: what a user must know before trusting the numbers. */
  readonly notes: readonly string[];
  /** Set when the file is an export of this tool: the surgery that it carries. */
  readonly embeddedPlan?: SurgeryPlan;
  /** Whether the embedded surgery's filters were re-causalised before they were written. */
  readonly recausalised?: boolean;
  /**
   * The site's filter, rows = channels of the range, columns = taps of the range, row-major float32
   * (computed in float64 where the filter is generated). Ranges are half open. Memory is that of the result plus a constant.
   * `reuse`: an array of the result's size that may be overwritten and given back as the result, for callers that make many pieces:
   * fresh memory can cost more than the filter.
   */
  filter(siteId: string, range: TapRange, engine: Engine, reuse?: Float32Array): Promise<Float32Array>;
  /**
   * Rows of a site (as `filter` gives them, [H, columns]) brought into the model's own tensors: new values of the tensors of the file that
   * hold them, float32. Only where a site's writeBack has 'exact'.
   */
  exactTensors?(siteId: string, rows: Float32Array): Promise<ExactWriteBack>;
  /** The computation graph with one LongConv node per site; see core/graph. */
  graph(): Promise<ModelGraph>;
  close(): Promise<void>;
}

/** next-token: logits [B, L, V] of the token after each. masked-token: logits [B, L, V] of each token. classification: logits [B, V]. features: no metric. */
export type Task = 'next-token' | 'masked-token' | 'classification' | 'features';

export interface ExactWriteBack {
  readonly tensors: readonly { readonly name: string; readonly shape: readonly number[]; readonly data: Float32Array }[];
  /** Settings of config.json that the written values need, where they differ from the model's own. */
  readonly config?: Readonly<Record<string, unknown>>;
}

export interface ModelOption {
  readonly name: string;
  readonly value: number | boolean;
  /** e.g. "config.json", "default of the published Hugging Face code", "given by the user". */
  readonly source: string;
}

export type OptionOverrides = Readonly<Record<string, number | boolean>>;

/** A model family: recognises its files by tensor names and opens them. Registered in families/registry.ts. */
export interface Family {
  readonly name: string;
  /** The tensors that give it away, for the sentence that no family fits. */
  readonly lookedFor: string;
  /** null: not this family. A string: this family, but incomplete; the string says what is missing. */
  recognise(file: TensorFile): true | string | null;
  open(file: TensorFile, config: unknown, options: OptionOverrides): Promise<LongConvModel>;
}
