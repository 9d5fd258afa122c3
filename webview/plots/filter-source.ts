import type { FilterDataApi, PlotImage } from '../../extension/core/protocol/webview';

/** Where plots get their columns and maps from: the page's requests to the extension host. */
export type FilterSource = FilterDataApi;

export interface PlotContext {
  readonly source: FilterSource;
  readonly onError: (error: unknown) => void;
  /** Saves a plot to a file that the user chooses. */
  readonly saveImage: (image: PlotImage) => void;
}

export function sourceOf(call: <M extends keyof FilterDataApi>(method: M, params: Parameters<FilterDataApi[M]>[0]) => ReturnType<FilterDataApi[M]>): FilterSource {
  return {
    timeSeries: params => call('timeSeries', params),
    frequencySeries: params => call('frequencySeries', params),
    timeHeatmap: params => call('timeHeatmap', params),
    overview: params => call('overview', params),
    cellHeatmap: params => call('cellHeatmap', params),
  };
}
