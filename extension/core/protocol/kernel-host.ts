import type { DeviceReport, SampleType } from '../engine/engine';
import type { Direction, FilterStorage, ModelOption, OptionOverrides, Task, WriteBack } from '../families/model';
import type { ChannelMask, SurgeryPlan, Symmetry } from '../plan/plan';
import type { MaskMeasures } from '../plan/site-filter';
import type { BenchRequest, BenchResult } from '../validation/bench/request';
import type { ValidationReport } from '../validation/report';
import type { SearchRequest, SearchResult, SweepRequest, SweepResult } from './search';

/**
 * What the kernel host (the forked process that owns the native addon and ONNX Runtime) does for the editor and the CLI.
 * Every path is absolute. Every method may report progress; killing the process cancels.
 */
export interface KernelHostApi {
  devices(params: Record<string, never>): Promise<DeviceReport>;
  inspect(params: ModelRef): Promise<ModelSummary>;
  /** sha256 of the model file, as written into plans. */
  fingerprint(params: { path: string }): Promise<string>;
  /** Writes the site's materialised filter as tensor `k` [H, L] of a safetensors file. */
  exportFilter(params: ModelRef & { site: string; output: string }): Promise<{ channels: number; taps: number }>;
  /** Makes a plan for the model, all chosen sites masked alike. */
  makePlan(params: PlanRequest): Promise<SurgeryPlan>;
  /** One channel's filter and its masked versions for plotting, reduced to at most `columns` min/max pairs. */
  timeSeries(params: SeriesRequest): Promise<TimeSeries>;
  frequencySeries(params: SeriesRequest): Promise<FrequencySeries>;
  /** channel x time map: peak |k| of each tile, dB relative to the largest. */
  timeHeatmap(params: ModelRef & { site: string; rows: number; columns: number }): Promise<Heatmap>;
  /** Monarch-cell map of the site's energy: rows n1, columns the last digit; dB relative to the largest. */
  cellHeatmap(params: ModelRef & { site: string; fftSize: number; factors: readonly number[]; taps: number }): Promise<Heatmap>;
  /** A site at a glance, for the viewer's strip of small pictures. */
  overview(params: ModelRef & { site: string; columns: number }): Promise<SiteOverview>;
  /** Live measures of masks on one site, over at most `maxChannels` evenly spaced channels, well under 100 ms on small models. */
  preview(params: PreviewRequest): Promise<Preview>;
  /** The measures of the same masks over all channels, which take seconds on very long filters; null as soon as newer masks of the site are asked about. */
  measure(params: MeasureRequest): Promise<MaskMeasures | null>;
  /** Runs the model on the input file's `input_ids` (or `input`) and writes `logits`. */
  forward(params: ForwardRequest): Promise<{ shape: readonly number[] }>;
  validate(params: ValidateRequest): Promise<ValidationReport>;
  /** Times the convolution kernels on noise, every operation on every shape. */
  bench(params: BenchRequest): Promise<BenchResult[]>;
  exportPlan(params: ExportRequest): Promise<ExportResult>;
  /** Quality and speed of many settings; progress carries the rows so far as `partial`. */
  sweep(params: SweepRequest): Promise<SweepResult>;
  /** The fastest masks within a budget of perplexity; progress carries what was tried so far as `partial`. */
  search(params: SearchRequest): Promise<SearchResult>;
}

export interface ModelRef { readonly model: string; readonly options?: OptionOverrides }

export interface ModelSummary {
  readonly path: string;
  readonly name: string;
  readonly family: string;
  readonly bytes: number;
  readonly parameters: number;
  readonly maxLength: number;
  /** Default window of `validate`: maxLength, or the largest power of two below it when it is not one. */
  readonly defaultLength: number;
  readonly vocabularySize: number;
  readonly tokenizer: boolean;
  /** What the outputs mean, and whether inputs are tokens or floats [B, ...]; absent: next-token logits of token ids. */
  readonly task?: Task;
  readonly floatInput?: readonly (number | 'length')[];
  readonly options: readonly ModelOption[];
  readonly notes: readonly string[];
  readonly metadata: Readonly<Record<string, string>>;
  readonly sites: readonly SiteSummary[];
  readonly tensors: readonly TensorSummary[];
}
export interface SiteSummary {
  readonly id: string;
  readonly layer: number;
  readonly channels: number;
  readonly taps: number;
  readonly direction: Direction;
  readonly storage: FilterStorage;
  readonly writeBack: readonly WriteBack[];
  /** Grid a new frequency mask gets. */
  readonly defaultGrid: { readonly fftSize: number; readonly factors: readonly number[]; readonly taps: number };
  /** Set when an earlier surgery is embedded in the file. */
  readonly surgery?: string;
}
export interface TensorSummary { readonly name: string; readonly dtype: string; readonly shape: readonly number[]; readonly bytes: number }

export interface PlanRequest extends ModelRef {
  /** Where the plan will be saved: its model path is made relative to this file's folder. */
  readonly planPath: string;
  /** Files that the caller will write the result to: refused before the work where they cannot be written, or are read here. */
  readonly writes?: readonly string[];
  readonly sites?: string;
  readonly partial?: number;
  readonly taper?: number;
  readonly lowpass?: number;
  readonly blocks?: readonly number[];
  readonly comb?: number;
  readonly energy?: number;
  readonly fftSize?: number;
  readonly factors?: readonly number[];
  readonly symmetry?: Symmetry;
}

export interface SeriesRequest extends ModelRef {
  readonly site: string;
  readonly channel: number;
  /** Visible range: lags for time, bins for frequency; half open. */
  readonly range: readonly [number, number];
  readonly columns: number;
  /** Masks of this site; absent or empty: original only. */
  readonly masks?: readonly ChannelMask[];
  /** Frequency series: FFT size of the axis. */
  readonly fftSize?: number;
  /** Frequency series: also the phase. */
  readonly phase?: boolean;
}
/** Column c covers [x[c], x[c+1]) (or to the range's end); min and max of the values in it. */
export interface MinMax { readonly min: Float32Array; readonly max: Float32Array }
export interface TimeSeries { readonly x: Float64Array; readonly original: MinMax; readonly masked?: MinMax; readonly recausalised?: MinMax }
/** Mean energy of a site's filters over lags and over frequencies 0 to 1/2, in dB of the largest; over so many channels. */
export interface SiteOverview { readonly time: Float32Array; readonly frequency: Float32Array; readonly channels: number }
/** Magnitudes |K(f)|, linear. `gain`: effective gain g(f), min and max in the column. `phase`: arg K(f) at the column's first bin, in (-pi, pi]. */
export interface FrequencySeries { readonly x: Float64Array; readonly original: MinMax; readonly masked?: MinMax; readonly gain?: MinMax; readonly phase?: Float32Array }
export interface Heatmap { readonly rows: number; readonly columns: number; /** [rows, columns] in dB, 0 is the largest. */ readonly values: Float32Array; readonly rowLabel: string; readonly columnLabel: string }

export interface MeasureRequest extends ModelRef { readonly site: string; readonly masks: readonly ChannelMask[] }
export interface PreviewRequest extends MeasureRequest {
  readonly maxChannels: number; readonly length: number;
  /** The channel in view: measured where no more than one can be. */
  readonly channel?: number;
}
export interface Preview {
  readonly measures: MaskMeasures;
  /** Channels the measures are over, and of how many. */
  readonly sampledChannels: number;
  readonly channels: number;
  readonly predictedSpeedup: number;
  /** Bytes of the site's prepared filter, which stays in memory while the model runs. */
  readonly preparedBytes: { readonly dense: number; readonly masked: number };
  /** e.g. "comb-row FFT, 27% of the dense arithmetic". */
  readonly kernel: string;
  /** Set when the mask saves no time on this kernel: says why and what would. */
  readonly advice?: string;
}

export interface ForwardRequest {
  /** Model or plan file; a plan applies its masks. */
  readonly source: string;
  readonly options?: OptionOverrides;
  readonly input: string;
  readonly output: string;
  readonly recausalise: boolean;
  readonly backend: 'cpu' | 'cuda';
  /** Element type of products and convolutions on the GPU; default f16. f32: in float32 accuracy. */
  readonly dtype?: SampleType;
  readonly threads?: number;
}
export interface ValidateRequest {
  readonly plan: string;
  /** Unsaved plan to validate instead of the file's content; `plan` then only gives the folder. */
  readonly planText?: string;
  /** FASTA, text or safetensors; absent: speed and filter errors only. */
  readonly data?: string;
  /** Files that the caller will write the result to: refused before the work where they cannot be written, or are read here. */
  readonly writes?: readonly string[];
  readonly length?: number;
  readonly backend: 'auto' | 'cpu' | 'cuda';
  /** Element type of products and convolutions on the GPU; default f16. f32: in float32 accuracy. */
  readonly dtype?: SampleType;
  readonly threads?: number;
}
export interface ExportRequest {
  readonly plan: string;
  readonly planText?: string;
  readonly format: 'safetensors' | 'onnx';
  readonly form?: 'exact' | 'baked' | 'sidecar' | 'refit';
  readonly lowering?: 'dft' | 'conv' | 'function';
  readonly recausalise: boolean;
  readonly output: string;
  /** Only ONNX: length the graph is made for; default the model's default length. */
  readonly length?: number;
}
export interface ExportResult {
  readonly path: string;
  readonly bytes: number;
  /** What was written, in sentences, e.g. what the user must know about the chosen form. */
  readonly notes: readonly string[];
  /** Relative difference between the re-run of the written file and the validated run; 0 where bit-identical. */
  readonly verified: number;
  /** What `verified` compares where the whole model was not run again: the changed filters, or the results of the changed convolutions. */
  readonly compared?: 'filters' | 'convolutions';
}
