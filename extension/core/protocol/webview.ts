import type { ModelOption } from '../families/model';
import type { ChannelMask, SitePlan, SurgeryPlan } from '../plan/plan';
import type { MaskMeasures } from '../plan/site-filter';
import type { ValidationReport } from '../validation/report';
import type { ReportFormat } from '../validation/report-text';
import type {
  ExportRequest, ExportResult, FrequencySeries, Heatmap, ModelSummary, Preview, MeasureRequest, PreviewRequest, SeriesRequest, SiteOverview, TensorSummary, TimeSeries,
} from './kernel-host';
import type { Progress, RpcFailure } from './rpc';
import type { MaskSetting, SearchResult, SearchTry, SweepResult, SweepRow } from './search';

/**
 * What the pages (webview/) ask of the extension host, and what it tells them unasked. Requests and replies travel as
 * `Request` and `Reply` of rpc.ts; events as `PageEvent`. A page may be thrown away and built again at any time (VS Code does so
 * when its tab is hidden), so everything that must last lives on the extension's side and comes back with `load`.
 */
export type {
  CellSet, ChannelMask, FrequencyMask, FrequencyPattern, MonarchGrid, PartialMask, SitePlan, SurgeryPlan, Symmetry,
} from '../plan/plan';
export type { SiteReport, MaskedQuality, Quality, ValidationReport, Verdict } from '../validation/report';
export type { ReportFormat } from '../validation/report-text';
export type { MaskSetting, SearchResult, SearchTry, SweepResult, SweepRow } from './search';
export type {
  ExportResult, FrequencySeries, Heatmap, MinMax, ModelSummary, Preview, SiteOverview, SiteSummary, TensorSummary, TimeSeries,
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
  overview(params: { site: string; columns: number }): Promise<SiteOverview>;
  cellHeatmap(params: { site: string; fftSize: number; factors: readonly number[]; taps: number }): Promise<Heatmap>;
}

/** A plot as it stands: both forms travel, and the file's name that the user chooses says which is written. */
export interface PlotImage { readonly name: string; readonly svg: string; readonly png: Uint8Array }

export interface ImageApi {
  /** Asks where to save the plot. */
  saveImage(params: PlotImage): Promise<void>;
}

export interface ModelViewerApi extends FilterDataApi, ImageApi {
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

export interface PlanEditorApi extends FilterDataApi, ImageApi {
  load(params: NoParams): Promise<PlanPageState>;
  preview(params: OfThisModel<PreviewRequest>): Promise<Preview>;
  measure(params: OfThisModel<MeasureRequest>): Promise<MaskMeasures | null>;
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
  /** Asks where to save the report of a kept run. */
  saveReport(params: { run: string; format: ReportFormat }): Promise<void>;
  /** Forgets a kept run. */
  removeRun(params: { run: string }): Promise<void>;
  /** Tries many settings on the chosen data; rows come with the job's state, as event `sweep`. */
  sweep(params: SweepChoice): Promise<void>;
  /** Finds the fastest masks within a budget; its state comes as event `search`. */
  search(params: SearchChoice): Promise<void>;
  /** Puts the masks of a sweep's row, or of the search's result, into this plan (one undo step) or into a new one beside it. */
  useMasks(params: { from: MaskSource; newPlan: boolean }): Promise<void>;
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
  sweep: JobState<SweepResult>;
  search: JobState<SearchResult>;
  runs: readonly ValidationRun[];
  /** A command of the workbench asks the page to show one of its views. */
  show: PlanView;
}

export type PlanView = 'masks' | 'validation' | 'sweep' | 'search' | 'export';
export type JobName = 'validation' | 'export' | 'sweep' | 'search';

export interface SweepChoice extends MaskSettingLists {
  readonly combine: boolean;
  readonly eachSite: boolean;
  readonly windows?: number;
}
interface MaskSettingLists {
  readonly partial: readonly number[];
  readonly lowpass: readonly number[];
  readonly blocks: readonly (readonly number[])[];
  readonly comb: readonly number[];
}
export interface SearchChoice { readonly budget: number; readonly windows?: number }
export type MaskSource =
  | { readonly kind: 'setting'; readonly setting: MaskSetting; /** "all", or a site's id. */ readonly sites: string; readonly name: string }
  /** The result of the search. */
  | { readonly kind: 'found' }
  /** What a kept validation run masked. */
  | { readonly kind: 'run'; readonly run: string };
/** What a running sweep or search has so far: the `partial` of its progress. */
export interface SweepSoFar { readonly rows: readonly SweepRow[] }
export interface SearchSoFar { readonly tried: readonly SearchTry[] }

export interface PlanPageState {
  readonly fileName: string;
  readonly plan: PlanState;
  readonly model: ModelState;
  readonly data: DataFile | null;
  readonly validation: JobState<ValidationOutcome>;
  readonly export: JobState<ExportResult>;
  readonly sweep: JobState<SweepResult>;
  readonly search: JobState<SearchResult>;
  readonly runs: readonly ValidationRun[];
  /** Windows that a sweep or a search runs unless the user says otherwise. */
  readonly searchWindows: number;
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
  /** What every site gets; sites that are not listed become dense. */
  | { readonly kind: 'setAll'; readonly sites: readonly SitePlan[] }
  | { readonly kind: 'clearAll' };

export interface DataFile { readonly path: string; readonly name: string }

export type JobState<T> =
  | { readonly state: 'idle' }
  | { readonly state: 'running'; readonly progress: Progress; /** Milliseconds since 1970. */ readonly started: number }
  | { readonly state: 'done'; readonly result: T; readonly seconds: number }
  | { readonly state: 'failed'; readonly failure: RpcFailure };

/** Which of the kept runs a validation has become. */
export interface ValidationOutcome { readonly run: string }

/** A validation that is kept for comparison. */
export interface ValidationRun {
  readonly id: string;
  /** What the plan masked when it was validated: figures are of an older plan when this differs from what it masks now. */
  readonly sites: readonly SitePlan[];
  /** The same in a line. */
  readonly masks: string;
  readonly report: ValidationReport;
}

export type ExportChoice = Required<Pick<ExportRequest, 'format' | 'recausalise'>> & Pick<ExportRequest, 'form' | 'lowering' | 'length'>;
