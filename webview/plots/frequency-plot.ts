import type { ChannelMask, FrequencySeries, MinMax, SiteSummary } from '../../extension/core/protocol/webview';
import { el } from '../ui/dom';
import { count, significant } from '../ui/format';
import { latest } from '../ui/latest';
import { checkbox, setChecked } from '../ui/toolkit';
import type { CheckboxControl } from '../ui/toolkit';
import type { PlotContext } from './filter-source';
import { joinSeries, logarithmicParts } from './frequency-columns';
import { compact, LinePlot } from './line-plot';
import type { Curve, LinePlotOptions } from './line-plot';
import { decibels } from './scale';
import type { Range } from './scale';
import { t } from '../ui/l10n';

export interface FrequencyView { readonly site: SiteSummary; readonly channel: number; readonly masks: readonly ChannelMask[]; readonly fftSize: number; /** A second channel, drawn for comparison. */ readonly compared?: number }
export interface FrequencyAxes { readonly logarithmic: boolean; readonly decibels: boolean; readonly phase?: boolean }

const FLOOR = -120;

/** The magnitude of a filter's spectrum over its bins 0..N/2, with the masked one and the effective gain over it. */
export class FrequencyPlot {
  readonly plot: LinePlot;
  private view?: FrequencyView;
  private series?: FrequencySeries;
  /** Largest |K(f)| of the channel: 0 dB. */
  private peak = 0;
  private readonly gainKey = el('span', { class: 'key gain', text: t('gain g(f)'), hidden: true });
  private readonly logBox: CheckboxControl;
  private readonly dbBox: CheckboxControl;
  private readonly phaseBox: CheckboxControl;
  private readonly phaseKey = el('span', { class: 'key phase', text: t('phase −π … π'), hidden: true });
  private readonly request: (params: { view: FrequencyView; range: Range; columns: number; axes: FrequencyAxes }) => Promise<void>;

  constructor(context: PlotContext, testid: string, private axes: FrequencyAxes, onAxes: (axes: FrequencyAxes) => void, options: Pick<LinePlotOptions, 'height' | 'onLasso'> = {}) {
    const change = (changed: Partial<FrequencyAxes>): void => {
      this.axes = { ...this.axes, ...changed };
      onAxes(this.axes);
      this.plot.setLogarithmic(this.axes.logarithmic);
      this.refresh();
    };
    this.logBox = checkbox(t('log'), axes.logarithmic, logarithmic => change({ logarithmic }), { testid: `${testid}-log`, title: t('Logarithmic frequency axis'), label: t('Logarithmic frequency axis') });
    this.dbBox = checkbox(t('dB'), axes.decibels, on => change({ decibels: on }), { testid: `${testid}-db`, title: t('Magnitude in decibels'), label: t('Magnitude in decibels') });
    this.phaseBox = checkbox(t('phase'), axes.phase ?? false, phase => change({ phase }), { testid: `${testid}-phase`, title: t('Phase of the original, −π … π'), label: t('Phase of the original') });
    this.plot = new LinePlot({
      title: t('Filter in frequency'), xLabel: t('frequency bin f (0 … N/2)'), testid, ...options, tools: [this.gainKey, this.phaseKey, this.logBox, this.dbBox, this.phaseBox], onSave: image => context.saveImage(image),
      onRange: () => this.refresh(), readout: column => this.readout(column), formatY: value => (this.axes.decibels ? `${compact(value)} dB` : compact(value)),
    });
    this.request = latest(
      ({ view, range, columns, axes: { logarithmic, phase } }) => {
        const parts = logarithmic ? logarithmicParts(range, columns) : [range];
        const series = async (channel: number, masks?: readonly ChannelMask[]): Promise<FrequencySeries> => joinSeries(await Promise.all(parts.map(part =>
          context.source.frequencySeries({ site: view.site.id, channel, range: part, columns, masks, fftSize: view.fftSize, phase: phase && masks !== undefined }))));
        return Promise.all([series(view.channel, view.masks), view.compared === undefined ? undefined : series(view.compared)]);
      },
      ([series, compared], { view }) => {
        if (view.site.id === this.view?.site.id && view.fftSize === this.view.fftSize) this.draw(series, view, compared);
      },
      context.onError);
  }

  show(view: FrequencyView): void {
    const old = this.view;
    this.view = view;
    if (old?.site.id !== view.site.id || old.fftSize !== view.fftSize) {
      this.plot.setFull([0, view.fftSize / 2 + 1]);
      this.plot.setLogarithmic(this.axes.logarithmic);
    }
    if (old?.site.id !== view.site.id || old.fftSize !== view.fftSize || old.channel !== view.channel) this.peak = 0;
    this.refresh();
  }

  setAxes(axes: FrequencyAxes): void {
    this.axes = axes;
    setChecked(this.logBox, axes.logarithmic);
    setChecked(this.dbBox, axes.decibels);
    setChecked(this.phaseBox, axes.phase ?? false);
  }

  private refresh(): void {
    if (this.view) void this.request({ view: this.view, range: this.plot.range, columns: this.plot.askColumns(), axes: this.axes });
  }

  private draw(series: FrequencySeries, view: FrequencyView, compared: FrequencySeries | undefined): void {
    this.series = series;
    if (view.channel === this.view?.channel) this.peak = series.original.max.reduce((a, b) => Math.max(a, b), this.peak);
    const shown = (values: MinMax): MinMax => (this.axes.decibels
      ? { min: values.min.map(v => decibels(v, this.peak, FLOOR)), max: values.max.map(v => decibels(v, this.peak, FLOOR)) } : values);
    const original = shown(series.original);
    const curves: Curve[] = [{ name: 'original', values: original }];
    if (series.phase) curves.unshift({ name: 'phase', values: { min: series.phase, max: series.phase } });
    if (compared) curves.push({ name: 'compared', values: shown(compared.original) });
    if (series.gain && series.masked) curves.unshift({ name: 'gain', values: series.gain });
    if (series.masked) curves.push({ name: 'masked', values: shown(series.masked) });
    this.gainKey.hidden = !series.gain;
    this.phaseKey.hidden = !series.phase;
    this.plot.setData(series.x, curves, this.axes.decibels ? [lowest(original) - 6, 6] : [0, this.peak * 1.06]);
  }

  private readout(column: number): string {
    const { series, view } = this;
    if (!series || !view) return '';
    const bin = series.x[column];
    const value = (magnitude: number): string => (this.axes.decibels ? `${decibels(magnitude, this.peak, FLOOR).toFixed(1)} dB` : significant(magnitude, 3));
    return t('bin {0} ({1} cycles/token): {2}', count(bin), significant(bin / view.fftSize, 3), value(series.original.max[column]))
      + (series.phase ? ` · ${t('phase {0} rad', series.phase[column].toFixed(2))}` : '')
      + (series.gain ? ` · ${t('gain {0}', significant(series.gain.max[column], 3))}` : '');
  }
}

/** Lower end of the dB axis: the original's lowest level, at least 40 dB of it. */
function lowest(values: MinMax): number {
  return Math.max(FLOOR, Math.min(-40, values.min.reduce((a, b) => Math.min(a, b), 0)));
}
