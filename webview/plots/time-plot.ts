import type { ChannelMask, SiteSummary, TimeSeries } from '../../extension/core/protocol/webview';
import { count, significant } from '../ui/format';
import { latest } from '../ui/latest';
import type { PlotContext } from './filter-source';
import { LinePlot } from './line-plot';
import type { Curve } from './line-plot';
import type { Range } from './scale';
import { t } from '../ui/l10n';

export interface TimeView {
  readonly site: SiteSummary;
  readonly channel: number;
  readonly masks: readonly ChannelMask[];
  /** A second channel, drawn for comparison. */
  readonly compared?: number;
  /** 0, or a negative lag to show what a frequency mask leaks into the future. */
  readonly firstLag?: number;
}

/** Lags of a bidirectional filter go both ways. */
const firstLagOf = ({ site, firstLag }: TimeView): number => (site.direction === 'bidirectional' ? -site.taps : firstLag ?? 0);

/** A filter's taps over their lags, with its masked versions over it. */
export class TimePlot {
  readonly plot: LinePlot;
  private view?: TimeView;
  private series?: TimeSeries;
  private readonly request: (params: { view: TimeView; range: Range; columns: number }) => Promise<void>;

  constructor(context: PlotContext, testid: string, options: { tools?: readonly HTMLElement[]; height?: number }, private readonly onRange: (range: Range) => void) {
    this.plot = new LinePlot({
      title: t('Filter in time'), xLabel: t('lag (tokens)'), testid, ...options, onSave: image => context.saveImage(image),
      onRange: range => {
        this.onRange(range);
        void this.refresh();
      },
      readout: column => this.readout(column),
    });
    this.request = latest(
      ({ view, range, columns }) => Promise.all([
        context.source.timeSeries({ site: view.site.id, channel: view.channel, range, columns, masks: view.masks }),
        view.compared === undefined ? undefined : context.source.timeSeries({ site: view.site.id, channel: view.compared, range, columns }),
      ]),
      ([series, compared], { view }) => {
        if (view.site.id === this.view?.site.id) this.draw(series, compared);
      },
      context.onError);
  }

  /**
   * Resolves once what is shown is what was last asked for.
   * @param range visible lags, when a saved view is brought back.
   */
  show(view: TimeView, range?: Range): Promise<void> {
    const firstLag = firstLagOf(view);
    if (view.site.id !== this.view?.site.id || firstLag !== firstLagOf(this.view)) this.plot.setFull([firstLag, view.site.taps], range);
    this.view = view;
    return this.refresh();
  }

  private async refresh(): Promise<void> {
    if (this.view) await this.request({ view: this.view, range: this.plot.range, columns: this.plot.askColumns() });
  }

  private draw(series: TimeSeries, compared: TimeSeries | undefined): void {
    this.series = series;
    const curves: Curve[] = [{ name: 'original', values: series.original }];
    if (compared) curves.push({ name: 'compared', values: compared.original });
    if (series.recausalised) curves.push({ name: 'recausalised', values: series.recausalised });
    if (series.masked) curves.push({ name: 'masked', values: series.masked });
    this.plot.setData(series.x, curves);
  }

  private readout(column: number): string {
    const series = this.series;
    if (!series) return '';
    const next = column + 1 < series.x.length ? series.x[column + 1] : this.plot.range[1];
    const value = ({ min, max }: TimeSeries['original']): string =>
      (min[column] === max[column] ? significant(min[column], 3) : `${significant(min[column], 3)} … ${significant(max[column], 3)}`);
    const lag = next - series.x[column] > 1 ? t('lags {0}–{1}', count(series.x[column]), count(next - 1)) : t('lag {0}', count(series.x[column]));
    return `${lag}: ${value(series.original)}${series.masked ? ` · ${t('masked {0}', value(series.masked))}` : ''}`;
  }
}
