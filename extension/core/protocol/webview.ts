import type { ModelOption } from '../families/model';
import type { ChannelMask, SurgeryPlan } from '../plan/plan';
import type { ValidationReport } from '../validation/report';
import type {
  ExportRequest, ExportResult, FrequencySeries, Heatmap, ModelSummary, Preview, PreviewRequest, SeriesRequest, TensorSummary, TimeSeries,
} from './kernel-host';
import type { Progress, RpcFailure } from './rpc';

/**
 * What the pages (webview/) ask of the extension host, and what it tells them unasked. Requests and replies travel as
 * `Request` and `Reply` of rpc.ts; events as `PageEvent`. A page may be thrown away and built again at any time (VS Code does so
 * when its tab is hidden), so everything that must last lives on the extension's side and comes back with `load`.
 */
export type {
  CellSet, ChannelMask, FrequencyMask, FrequencyPattern, MonarchGrid, PartialMask, SitePlan, SurgeryPlan, Symmetry,
} from '../plan/plan';
export type { SiteReport, MaskedQuality, Quality, ValidationReport } from '../validation/report';
export type {
  ExportResult, FrequencySeries, Heatmap, MinMax, ModelSummary, Preview, SiteSummary, TensorSummary, TimeSeries,
} from './kernel-host';
export type { ModelOption };

/** Sent to a page unasked. */
export interface PageEvent { readonly type: 'event'; readonly name: string; readonly data: unknown }

export type NoParams = Record<string, never>;
/** A kernel-host request without the model: a page only ever sees the model of its own document. */
export type OfThisModel<T> = Omit<T, 'model' | 'options'>;

/** Filter data of the page's model, for plotting. */
export interface FilterDataApi {
  timeSeries(params: OfThisModel<SeriesRequest>): Promise<TimeSeries>;
  frequencySeries(params: OfThisModel<SeriesRequest>): Promise<FrequencySeries>;
  timeHeatmap(params: { site: string; rows: number; columns: number }): Promise<Heatmap>;
  cellHeatmap(params: { site: string; fftSize: number; factors: readonly number[]; taps: number }): Promise<Heatmap>;
}

export interface ModelViewerApi extends FilterDataApi {
  /** Rejects with the sentence that says why the file cannot be read. */
  load(params: NoParams): Promise<ViewerContent>;
  newPlan(params: NoParams): Promise<void>;
  showLog(params: NoParams): Promise<void>;
}

export type ViewerContent =
  | { readonly kind: 'model'; readonly model: ModelSummary }
  /** A sound file of no known family: its tensors can be looked at, and `why` says why there is nothing more. */
  | { readonly kind: 'tensors'; readonly name: string; readonly bytes: number; readonly tensors: readonly TensorSummary[]; readonly why: RpcFailure };

export interface ModelViewerEvents {
  /** The model file changed on disk: the page asks for everything again. */
  reload: Record<string, never>;
}

export interface PlanEditorApi extends FilterDataApi {
  load(params: NoParams): Promise<PlanPageState>;
  preview(params: OfThisModel<PreviewRequest>): Promise<Preview>;
  /** Changes the document (one undo step); the new plan comes back as event `plan`. */
  edit(params: PlanEdit): Promise<void>;
  openAsText(params: NoParams): Promise<void>;
  openModel(params: NoParams): Promise<void>;
  /** Asks for the file to validate on; null when nothing was chosen. The choice is remembered for this plan. */
  chooseData(params: NoParams): Promise<DataFile | null>;
  clearData(params: NoParams): Promise<void>;
  /** Starts the job; its state comes as event `validation`. */
  validate(params: { length?: number }): Promise<void>;
  /** Asks where to save, then starts the job; its state comes as event `export`. */
  exportPlan(params: ExportChoice): Promise<void>;
  cancel(params: { job: JobName }): Promise<void>;
  /** Shows an exported file in the explorer. */
  reveal(params: { path: string }): Promise<void>;
  retryModel(params: NoParams): Promise<void>;
  showLog(params: NoParams): Promise<void>;
}

export interface PlanEditorEvents {
  plan: PlanState;
  model: ModelState;
  data: DataFile | null;
  validation: JobState<ValidationOutcome>;
  export: JobState<ExportResult>;
  /** A command of the workbench asks the page to show one of its views. */
  show: PlanView;
}

export type PlanView = 'masks' | 'validation' | 'export';
export type JobName = 'validation' | 'export';

export interface PlanPageState {
  readonly fileName: string;
  readonly plan: PlanState;
  readonly model: ModelState;
  readonly data: DataFile | null;
  readonly validation: JobState<ValidationOutcome>;
  readonly export: JobState<ExportResult>;
}

export interface PlanState {
  /** The plan in the document, or the last good one while the text is not a plan; null when there never was one. */
  readonly plan: SurgeryPlan | null;
  /** Set while the text of the document is not a valid plan. */
  readonly invalid?: { readonly message: string; readonly hint?: string };
  /** Grows with every change of the document. */
  readonly revision: number;
}

export type ModelState =
  | { readonly state: 'loading' }
  | { readonly state: 'ready'; readonly summary: ModelSummary; /** Set when the file is not the one that the plan was made for. */ readonly warning?: string }
  | { readonly state: 'failed'; readonly failure: RpcFailure };

/** The changes a page can ask for. Each is one undo step. */
export type PlanEdit =
  | { readonly kind: 'setMasks'; readonly site: string; readonly masks: readonly ChannelMask[] }
  /** The site's masks go to every other site that they fit (same channels and taps). */
  | { readonly kind: 'copyToAll'; readonly site: string }
  | { readonly kind: 'clearAll' };

export interface DataFile { readonly path: string; readonly name: string }

export type JobState<T> =
  | { readonly state: 'idle' }
  | { readonly state: 'running'; readonly progress: Progress; /** Milliseconds since 1970. */ readonly started: number }
  | { readonly state: 'done'; readonly result: T; readonly seconds: number }
  | { readonly state: 'failed'; readonly failure: RpcFailure };

export interface ValidationOutcome {
  readonly report: ValidationReport;
  /** Revision of the plan that was validated: a later one means that the figures are of an older plan. */
  readonly revision: number;
}

export type ExportChoice = Required<Pick<ExportRequest, 'format' | 'recausalise'>> & Pick<ExportRequest, 'form' | 'lowering' | 'length'>;
