import { binsOfFraction } from '../../extension/core/masks/patterns';
import { describeMask, describeMasks } from '../../extension/core/masks/describe';
import type { ChannelMask, FrequencyMask, ModelSummary, PlanEdit, Preview, SiteSummary, SurgeryPlan } from '../../extension/core/protocol/webview';
import { CellMap } from '../plots/cell-map';
import type { DragHandle } from '../plots/drag-handle';
import type { PlotContext } from '../plots/filter-source';
import { FrequencyPlot } from '../plots/frequency-plot';
import type { FrequencyAxes } from '../plots/frequency-plot';
import type { CellPlace } from '../plots/scale';
import { TimePlot } from '../plots/time-plot';
import type { TimeView } from '../plots/time-plot';
import { ChannelPicker } from '../ui/channel-picker';
import { el } from '../ui/dom';
import { count } from '../ui/format';
import { latest } from '../ui/latest';
import { SideList } from '../ui/side-list';
import { button, checkbox } from '../ui/toolkit';
import { keepsNothing, mapGains, paintCells } from './cell-painting';
import { maskAt, withMask } from './channel-ranges';
import type { ChannelRange } from './channel-ranges';
import { FrequencyControls } from './frequency-controls';
import { NumbersStrip } from './numbers-strip';
import { PartialControls } from './partial-controls';
import { partialWith } from './partial-mask';
import { bandPattern, fractionForBins, halfBins } from './patterns';
import { RangePicker } from './range-picker';
import { t } from '../ui/l10n';

/** What survives hiding the page. */
export interface MasksViewState { readonly site?: string; readonly channel: number; readonly range?: ChannelRange; readonly negativeLags: boolean; readonly axes: FrequencyAxes }

export interface MasksViewHost extends PlotContext {
  readonly edit: (edit: PlanEdit) => Promise<void>;
  readonly preview: (params: { site: string; masks: readonly ChannelMask[]; maxChannels: number; length: number; channel: number }) => Promise<Preview>;
  readonly measure: (params: { site: string; masks: readonly ChannelMask[] }) => Promise<Preview['measures'] | null>;
  readonly onState: (state: MasksViewState) => void;
  /** A sentence for the user about something that was not done. */
  readonly say: (sentence: string, hint?: string) => void;
}

/** What is done to a range of channels. */
type Action = Omit<ChannelMask, 'channels'>;

/** Channels that the live figures are taken over: few while something is dragged, more as soon as it rests, and then all. */
const DRAG_CHANNELS = 8;
const SETTLED_CHANNELS = 64;
const PLOT_HEIGHT = 156;
const CELL_MAP_HEIGHT = 168;

/**
 * The masks of one site: plots to draw on, controls to type into, and the live figures, all in step. While something is dragged
 * only the page changes; the document gets one edit when it rests.
 */
export class MasksView {
  readonly element: HTMLElement;
  private readonly sites: SideList;
  private readonly clearAll;
  private readonly heading = el('h2', { testid: 'site-title' });
  private readonly summary = el('p', { class: 'muted', testid: 'mask-summary' });
  private readonly channelPicker = new ChannelPicker(channel => this.save({ channel }));
  private readonly rangePicker = new RangePicker(range => this.save({ range }));
  private readonly numbers = new NumbersStrip();
  private readonly time: TimePlot;
  private readonly frequency: FrequencyPlot;
  private readonly cells: CellMap;
  private readonly partialControls: PartialControls;
  private readonly frequencyControls: FrequencyControls;
  private readonly cut: DragHandle;
  private readonly lowEdge: DragHandle;
  private readonly highEdge: DragHandle;
  private readonly main: HTMLElement;
  private readonly loadCells: (params: { site: SiteSummary; grid: FrequencyMask['grid'] }) => Promise<void>;
  private readonly showFigures: (params: { view: TimeView; settled: boolean }) => Promise<void>;
  private model?: ModelSummary;
  private plan?: SurgeryPlan;
  /** The site's masks on the page while they differ from the document's. */
  private draft?: readonly ChannelMask[];
  private shownCells = '';
  private shownPreview?: Preview;
  private editsUnderWay = 0;
  /** Set while a refresh waits for the next frame: a drag moves more often than the screen. */
  private nextFrame?: number;
  private readOnly = false;

  constructor(private readonly host: MasksViewHost, private state: MasksViewState) {
    const key = (name: string, text: string): HTMLElement => el('span', { class: `key ${name}`, text });
    const lags = checkbox(t('negative lags'), state.negativeLags, negativeLags => this.save({ negativeLags }), { testid: 'negative-lags', title: t('Show the lags before 0: what a frequency mask leaks into the future') });
    this.clearAll = button(t('Clear All Sites'), () => void this.send({ kind: 'clearAll' }), { testid: 'clear-all', title: t('Every site dense again') });
    this.sites = new SideList(t('Sites'), 'site-list', site => this.save({ site, range: undefined }),
      el('div', { class: 'side-foot' }, el('div', { class: 'keys' }, key('original', t('original')), key('masked', t('masked')), key('recausalised', t('re-causalised'))), this.clearAll));
    this.time = new TimePlot(host, 'time-plot', { tools: [lags], height: PLOT_HEIGHT }, () => undefined);
    this.frequency = new FrequencyPlot(host, 'frequency-plot', state.axes, axes => this.save({ axes }), { height: PLOT_HEIGHT, onLasso: range => this.keepBand(range) });
    this.cells = new CellMap({ title: t('Monarch cells'), testid: 'cell-map', height: CELL_MAP_HEIGHT, onSave: image => host.saveImage(image), onPaint: (places, add, done) => this.paint(places, add, done) });
    this.partialControls = new PartialControls((partial, settled) => this.change(action => ({ ...action, partial }), settled));
    this.frequencyControls = new FrequencyControls((frequency, settled) => this.change(action => ({ ...action, frequency }), settled));
    this.cut = this.time.plot.addHandle({
      label: t('Cut: taps kept'), testid: 'cut-handle', drops: 'right', limits: () => [1, this.site.taps], describe: taps => t('first {0} taps', count(taps)),
      onInput: taps => this.setTaps(taps, false), onCommit: taps => this.setTaps(taps, true),
    });
    this.highEdge = this.frequency.plot.addHandle({
      label: t('Upper edge of the kept band'), testid: 'high-edge', drops: 'right', limits: () => [1, halfBins(this.grid)], describe: bin => t('below bin {0}', count(bin)),
      onInput: bin => this.setHighEdge(bin, false), onCommit: bin => this.setHighEdge(bin, true),
    });
    this.lowEdge = this.frequency.plot.addHandle({
      label: t('Lower edge of the kept band'), testid: 'low-edge', drops: 'left', limits: () => [0, halfBins(this.grid) - 1], describe: bin => t('from bin {0}', count(bin)),
      onInput: bin => this.setLowEdge(bin, false), onCommit: bin => this.setLowEdge(bin, true),
    });
    this.loadCells = latest(({ site, grid }) => host.source.cellHeatmap({ site: site.id, ...grid }), map => this.cells.setData(map), host.onError);
    // The figures and the plot in time go hand in hand: of very long filters both come from the same masked row, made once.
    this.showFigures = latest(
      async ({ view, settled }) => {
        const [preview] = await Promise.all([
          host.preview({ site: view.site.id, masks: view.masks, channel: view.channel, maxChannels: settled ? SETTLED_CHANNELS : DRAG_CHANNELS, length: this.model!.defaultLength }), this.time.show(view),
        ]);
        return preview;
      },
      (preview, { view, settled }) => {
        if (view.site.id !== this.site.id) return;
        this.showPreview(preview, view, settled);
        // On a grid of a million bins the gains of all cells take longer than a frame: while something is dragged they keep pace with the figures.
        this.showGains();
      },
      host.onError);
    this.main = el('div', { class: 'masks-main' },
      el('div', { class: 'site-head' }, el('div', { class: 'site-title' }, this.heading, this.summary),
        el('div', { class: 'buttons' },
          button(t('Copy to All Sites'), () => void this.send({ kind: 'copyToAll', site: this.site.id }), { testid: 'copy-to-all', title: t('Mask every other site like this one') }),
          button(t('Clear'), () => this.commit([]), { testid: 'clear-site', title: t('This site dense again') }))),
      this.numbers.element,
      el('div', { class: 'mask-grid' },
        this.channelPicker.element, this.rangePicker.element,
        this.time.plot.element, this.partialControls.element,
        this.frequency.plot.element, this.frequencyControls.element,
        this.cells.element, el('fieldset', { class: 'controls' }, el('legend', { class: 'only-spoken', text: t('Grid') }), ...this.frequencyControls.gridFields,
          el('p', { class: 'hint', text: t('Paint to drop or keep cells; hatched cells are dropped. Whole rows make the kernels fastest.') }))));
    this.element = el('div', { class: 'page-body masks' }, this.sites.element, this.main);
  }

  setModel(model: ModelSummary): void {
    this.model = model;
    this.refresh();
  }

  setPlan(plan: SurgeryPlan, readOnly: boolean): void {
    this.plan = plan;
    this.readOnly = readOnly;
    // Quick edits overtake the answers to those before them: what the page shows is then ahead of this plan.
    if (this.editsUnderWay === 0) this.draft = undefined;
    this.main.toggleAttribute('inert', readOnly);
    this.clearAll.disabled = readOnly;
    this.main.classList.toggle('read-only', readOnly);
    this.refresh();
  }

  private get site(): SiteSummary {
    const sites = this.model!.sites;
    return sites.find(site => site.id === this.state.site) ?? sites.find(site => this.plan?.sites.some(planned => planned.site === site.id)) ?? sites[0];
  }

  /** The site that the page opens on stays chosen, also when its masks are cleared. */
  private keepSite(): void {
    const { id } = this.site;
    if (id === this.state.site) return;
    this.state = { ...this.state, site: id };
    this.host.onState(this.state);
  }

  private get documentMasks(): readonly ChannelMask[] {
    return this.plan?.sites.find(planned => planned.site === this.site.id)?.masks ?? [];
  }

  private get range(): ChannelRange {
    return this.state.range ?? this.documentMasks[0]?.channels ?? [0, this.site.channels];
  }

  private get action(): Action {
    return maskAt(this.draft ?? this.documentMasks, this.range[0], this.site.channels) ?? {};
  }

  private get grid(): FrequencyMask['grid'] {
    return this.action.frequency?.grid ?? this.site.defaultGrid;
  }

  private save(change: Partial<MasksViewState>): void {
    this.state = { ...this.state, ...change };
    if (change.site !== undefined || change.range !== undefined) this.draft = undefined;
    this.host.onState(this.state);
    this.refresh();
  }

  private change(change: (action: Action) => Action, settled: boolean): void {
    if (this.readOnly) return;
    const base = this.editsUnderWay > 0 ? this.draft ?? this.documentMasks : this.documentMasks;
    const action = change(maskAt(base, this.range[0], this.site.channels) ?? {});
    if (action.frequency && keepsNothing(action.frequency)) {
      if (settled) {
        this.host.say(t('A mask has to keep at least one cell: without any, the filter would be all zeros.'), t('Keep a cell, or choose another pattern.'));
        this.draft = undefined;
        this.refresh();
      }
      return;
    }
    const masks = withMask(base, this.range, this.site.channels, action);
    if (settled) {
      this.commit(masks);
    } else {
      this.draft = masks;
      this.nextFrame ??= requestAnimationFrame(() => this.refresh(false));
    }
  }

  private commit(masks: readonly ChannelMask[]): void {
    if (this.editsUnderWay === 0 && JSON.stringify(masks) === JSON.stringify(this.documentMasks)) {
      this.draft = undefined;
      this.refresh();
      return;
    }
    this.draft = masks;
    this.refresh(false);
    void this.send({ kind: 'setMasks', site: this.site.id, masks });
  }

  private async send(edit: PlanEdit): Promise<void> {
    if (this.readOnly) return;
    this.editsUnderWay++;
    try {
      await this.host.edit(edit);
    } catch (error) {
      this.draft = undefined;
      this.refresh();
      this.host.onError(error);
    } finally {
      this.editsUnderWay--;
    }
  }

  private setTaps(taps: number, settled: boolean): void {
    this.change(action => ({ ...action, partial: partialWith(action.partial, { taps }, this.site.taps) }), settled);
  }

  private setHighEdge(bin: number, settled: boolean): void {
    const bins = halfBins(this.grid);
    this.change(action => {
      const keep = action.frequency?.keep;
      const mask = action.frequency ?? { grid: this.site.defaultGrid, symmetry: 'conjugate' as const };
      if (keep?.kind === 'bandpass') {
        const from = Math.min(binsOfFraction(keep.from, mask.grid.fftSize), bin - 1);
        return { ...action, frequency: { ...mask, keep: bandPattern(from, bin, mask.grid) } };
      }
      return { ...action, frequency: bin >= bins ? undefined : { ...mask, keep: { kind: 'lowpass', fraction: fractionForBins(bin, mask.grid) } } };
    }, settled);
  }

  /** Keeps the bins [from, to), whatever the pattern was; all of them is no mask. */
  private keepBand([from, to]: readonly [number, number]): void {
    const bins = halfBins(this.grid);
    this.change(action => {
      const mask = action.frequency ?? { grid: this.site.defaultGrid, symmetry: 'conjugate' as const };
      if (from <= 0 && to >= bins) return { ...action, frequency: undefined };
      return { ...action, frequency: { ...mask, keep: bandPattern(Math.max(0, from), Math.min(bins, to), mask.grid) } };
    }, true);
  }

  private setLowEdge(bin: number, settled: boolean): void {
    this.change(action => {
      const mask = action.frequency;
      if (mask?.keep.kind !== 'bandpass') return action;
      const to = Math.max(binsOfFraction(mask.keep.to, mask.grid.fftSize), bin + 1);
      return { ...action, frequency: { ...mask, keep: bandPattern(bin, to, mask.grid) } };
    }, settled);
  }

  private paint(places: readonly CellPlace[], add: boolean, done: boolean): void {
    this.change(action => {
      const all: FrequencyMask = { grid: this.site.defaultGrid, symmetry: 'conjugate', keep: { kind: 'lowpass', fraction: 1 } };
      return { ...action, frequency: paintCells(action.frequency ?? all, places, add) };
    }, done);
  }

  /** Brings everything on the page in step with the plan, or with the draft while something is dragged. */
  private refresh(settled = true): void {
    if (this.nextFrame !== undefined) cancelAnimationFrame(this.nextFrame);
    this.nextFrame = undefined;
    if (!this.model || !this.plan) return;
    this.keepSite();
    const { site, action, grid } = this;
    const masks = this.draft ?? this.documentMasks;
    const channel = Math.min(this.state.channel, site.channels - 1);
    if (settled) this.refreshSites();
    this.heading.textContent = site.id;
    this.summary.textContent = describeMasks(masks);
    this.channelPicker.set(channel, site.channels);
    this.rangePicker.show(masks, site.channels, this.range);
    this.partialControls.show(action.partial, site.taps);
    this.frequencyControls.show(action.frequency, site);
    this.cut.set(action.partial?.taps ?? site.taps);
    this.placeEdges(action.frequency);
    this.frequency.show({ site, channel, masks, fftSize: grid.fftSize });
    const cells = `${site.id} ${grid.factors.join('x')} ${grid.taps}`;
    if (cells !== this.shownCells) {
      this.shownCells = cells;
      void this.loadCells({ site, grid });
    }
    if (settled) this.showGains();
    void this.showFigures({ view: { site, channel, masks, firstLag: this.state.negativeLags ? -Math.min(site.taps, grid.fftSize / 2) : 0 }, settled });
  }

  /** What the figures of a plan at rest were only estimated over some channels for is then measured over all. */
  private showPreview(preview: Preview, { site, masks }: TimeView, settled: boolean): void {
    const complete = preview.sampledChannels === preview.channels;
    this.shownPreview = preview;
    this.numbers.show(preview, settled && complete);
    if (!settled || complete) return;
    this.host.measure({ site: site.id, masks }).then(measures => {
      if (this.shownPreview === preview) this.numbers.show(measures ? { ...preview, measures, sampledChannels: preview.channels } : preview, true);
    }, this.host.onError);
  }

  private showGains(): void {
    const { frequency } = this.action;
    this.cells.setGains(frequency ? mapGains(frequency) : undefined);
  }

  private placeEdges(mask: FrequencyMask | undefined): void {
    const keep = mask?.keep;
    const bins = (fraction: number): number => binsOfFraction(fraction, this.grid.fftSize);
    this.highEdge.set(!keep ? halfBins(this.grid) : keep.kind === 'lowpass' ? bins(keep.fraction) : keep.kind === 'bandpass' ? bins(keep.to) : null);
    this.lowEdge.set(keep?.kind === 'bandpass' ? bins(keep.from) : null);
  }

  private refreshSites(): void {
    this.sites.setItems(this.model!.sites.map(site => {
      const masks = this.plan!.sites.find(planned => planned.site === site.id)?.masks ?? [];
      const detail = masks.length > 1 ? t('{0} masked channel ranges', masks.length) : describeMasks(masks);
      return { id: site.id, name: site.id, detail, title: `${site.id}\n${masks.length > 0 ? masks.map(describeMask).join('\n') : 'dense'}` };
    }), this.site.id);
  }
}
