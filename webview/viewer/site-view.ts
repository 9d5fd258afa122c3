import type { SiteSummary } from '../../extension/core/protocol/webview';
import { gridName } from '../../extension/core/masks/grid';
import { CellMap } from '../plots/cell-map';
import type { PlotContext } from '../plots/filter-source';
import { FrequencyPlot } from '../plots/frequency-plot';
import type { FrequencyAxes } from '../plots/frequency-plot';
import { HeatmapView } from '../plots/heatmap';
import type { Range } from '../plots/scale';
import { TimePlot } from '../plots/time-plot';
import { ChannelPicker } from '../ui/channel-picker';
import { el } from '../ui/dom';
import { numberInput } from '../ui/fields';
import { count, plural } from '../ui/format';
import { latest } from '../ui/latest';
import { directionName, storageName } from '../ui/site-words';
import { checkbox, setChecked } from '../ui/toolkit';
import type { CheckboxControl } from '../ui/toolkit';
import { t } from '../ui/l10n';

const MAP_HEIGHT = 170;

export interface SiteViewState { readonly channel: number; readonly lags?: Range; readonly axes: FrequencyAxes; /** Channel that is drawn for comparison. */ readonly compared?: number }

/** One site of the model: a channel's filter in time and in frequency, all channels over time, and the Monarch cells. */
export class SiteView {
  readonly element: HTMLElement;
  private readonly facts = el('p', { class: 'muted', testid: 'site-facts' });
  private readonly heading = el('h2', { testid: 'site-title' });
  private readonly surgery = el('p', { class: 'muted', testid: 'site-surgery', hidden: true });
  private readonly picker: ChannelPicker;
  private readonly compareBox: CheckboxControl;
  private readonly compareChannel: HTMLInputElement;
  private readonly time: TimePlot;
  private readonly frequency: FrequencyPlot;
  private readonly channels: HeatmapView;
  private readonly cells: CellMap;
  private readonly loadMaps: (site: SiteSummary) => Promise<void>;
  private site?: SiteSummary;
  private rows = 1;

  constructor(context: PlotContext, private state: SiteViewState, private readonly onState: (state: SiteViewState) => void) {
    this.picker = new ChannelPicker(channel => this.setChannel(channel));
    this.compareBox = checkbox(t('compare with'), state.compared !== undefined, on => this.setCompared(on ? Number(this.compareChannel.value) : undefined), { testid: 'compare', title: t('Draw a second channel over the first') });
    this.compareChannel = numberInput({ testid: 'compare-channel', min: 0, max: 0 });
    this.compareChannel.setAttribute('aria-label', t('Channel to compare with'));
    this.compareChannel.value = String(state.compared ?? 1);
    this.compareChannel.addEventListener('change', () => {
      setChecked(this.compareBox, true);
      this.setCompared(Number(this.compareChannel.value));
    });
    this.time = new TimePlot(context, 'time-plot', {}, lags => this.save({ lags }));
    this.frequency = new FrequencyPlot(context, 'frequency-plot', state.axes, axes => this.save({ axes }));
    this.channels = new HeatmapView({
      title: t('All channels over time'), testid: 'channel-map', rowLabel: t('channel'), columnLabel: t('lag (tokens)'), floor: -80, height: MAP_HEIGHT,
      readout: (row, column, level) => t('channel {0}, lag {1} · {2} dB', this.channelOfRow(row), this.lagOfColumn(column), level.toFixed(0)),
      onRow: row => this.setChannel(this.channelOfRow(row)), onSave: image => context.saveImage(image),
    });
    this.cells = new CellMap({ title: t('Monarch cells'), testid: 'cell-map', height: MAP_HEIGHT, onSave: image => context.saveImage(image) });
    this.loadMaps = latest(
      site => Promise.all([
        context.source.timeHeatmap({ site: site.id, rows: Math.min(site.channels, 256), columns: 512 }),
        context.source.cellHeatmap({ site: site.id, ...site.defaultGrid }),
      ]),
      ([channels, cells], site) => {
        if (site.id !== this.site?.id) return;
        this.rows = channels.rows;
        this.columns = channels.columns;
        this.channels.setData(channels);
        this.channels.markRow(this.rowOfChannel(this.state.channel));
        this.cells.setData(cells);
      },
      context.onError);
    this.element = el('div', { class: 'site-view' },
      el('div', { class: 'site-head' }, el('div', { class: 'site-title' }, this.heading, this.facts, this.surgery),
        el('div', { class: 'channels' }, this.picker.element, el('div', { class: 'row' }, this.compareBox, this.compareChannel, el('span', { class: 'key compared', text: t('compared') })))),
      el('div', { class: 'plot-grid' }, this.time.plot.element, this.frequency.plot.element, this.channels.element, this.cells.element));
  }

  private columns = 1;

  show(site: SiteSummary): void {
    const first = this.site === undefined;
    this.site = site;
    const channel = Math.min(this.state.channel, site.channels - 1);
    this.state = { ...this.state, channel };
    this.heading.textContent = site.id;
    this.facts.textContent = t('{0} · {1} × {2} · {3} filter · grid {4} · can be written back: {5}',
      directionName(site.direction), plural(site.channels, 'channel'), plural(site.taps, 'tap'), storageName(site.storage), gridName(site.defaultGrid), site.writeBack.join(', '));
    this.surgery.hidden = !site.surgery;
    this.surgery.textContent = site.surgery ? t('Earlier surgery in this file: {0}', site.surgery) : '';
    this.picker.set(channel, site.channels);
    this.compareChannel.max = String(site.channels - 1);
    this.drawCurves(site, first ? this.state.lags : undefined);
    void this.loadMaps(site);
  }

  private setChannel(channel: number): void {
    const site = this.site;
    if (!site || channel === this.state.channel) return;
    this.save({ channel });
    this.picker.set(channel, site.channels);
    this.channels.markRow(this.rowOfChannel(channel));
    this.drawCurves(site);
  }

  private setCompared(channel: number | undefined): void {
    const last = (this.site?.channels ?? 1) - 1;
    const compared = channel === undefined || !Number.isFinite(channel) ? undefined : Math.min(last, Math.max(0, Math.round(channel)));
    if (compared !== undefined) this.compareChannel.value = String(compared);
    this.save({ compared });
    if (this.site) this.drawCurves(this.site);
  }

  private drawCurves(site: SiteSummary, lags?: Range): void {
    const { channel } = this.state;
    const compared = this.state.compared === undefined ? undefined : Math.min(this.state.compared, site.channels - 1);
    void this.time.show({ site, channel, masks: [], compared }, lags);
    this.frequency.show({ site, channel, masks: [], fftSize: site.defaultGrid.fftSize, compared });
  }

  private save(change: Partial<SiteViewState>): void {
    this.state = { ...this.state, ...change };
    this.onState(this.state);
  }

  private channelOfRow(row: number): number {
    return Math.floor((row * (this.site?.channels ?? 1)) / this.rows);
  }

  private rowOfChannel(channel: number): number {
    return Math.floor((channel * this.rows) / (this.site?.channels ?? 1));
  }

  private lagOfColumn(column: number): string {
    return count(Math.floor((column * (this.site?.taps ?? 1)) / this.columns));
  }
}
