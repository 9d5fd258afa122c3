import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import type { MinMax, PlotImage } from '../../extension/core/protocol/webview';
import { el } from '../ui/dom';
import { t } from '../ui/l10n';
import { onThemeChange, themeColours, withAlpha } from '../ui/theme';
import type { ThemeColours } from '../ui/theme';
import { DragHandle } from './drag-handle';
import type { DragHandleOptions } from './drag-handle';
import { plotImage } from './plot-image';
import { clampRange, columnAt, panRange, sameRange, zoomRange } from './scale';
import type { Range } from './scale';

export type CurveName = 'original' | 'masked' | 'recausalised' | 'gain' | 'compared' | 'phase';

/** One curve, reduced to the smallest and the largest value of each column. */
export interface Curve { readonly name: CurveName; readonly values: MinMax }

export interface LinePlotOptions {
  readonly title: string;
  readonly xLabel: string;
  readonly testid: string;
  /** CSS pixels, axes included. */
  readonly height?: number;
  /** Controls that stand in the plot's title row. */
  readonly tools?: readonly HTMLElement[];
  /** The visible range changed: bring the data for it. */
  readonly onRange: (range: Range) => void;
  /** Text of the read-out under the cursor. */
  readonly readout: (column: number) => string;
  readonly formatY?: (value: number) => string;
  /** Saves the plot as it stands. */
  readonly onSave?: (image: PlotImage) => void;
  /** Present where a stretch of the axis can be lassoed: dragged over while the lasso is on, or the visible stretch by the key B. */
  readonly onLasso?: (range: Range) => void;
}

/** Opacity of the band between a column's smallest and largest value. */
const FILLS: Record<CurveName, number> = { original: 0.3, masked: 0.22, recausalised: 0.1, gain: 0.07, compared: 0.2, phase: 0 };
/** Curves with a vertical scale of their own, beside the one of the values. */
const OWN_SCALES: Partial<Record<CurveName, readonly [number, number]>> = { gain: [0, 1.04], phase: [-Math.PI * 1.02, Math.PI * 1.02] };
const DEFAULT_HEIGHT = 190;
const Y_AXIS_WIDTH = 52;

/**
 * A line plot of min/max columns that the kernel host has already reduced to the plot's width. Zoom: drag, Ctrl+wheel, + and -;
 * pan: Shift+wheel, arrow keys; all of it back: double click, 0. With the lasso on, a drag marks a stretch of the axis for the owner. Every change of range asks the owner for new columns.
 */
export class LinePlot {
  readonly element: HTMLElement;
  private readonly body: HTMLElement;
  private readonly readoutText: HTMLElement;
  /** Lies over uPlot's drawing area and outlives it: uPlot is built anew when the curves or the theme change, also during a drag. */
  private readonly overlay = el('div', { class: 'plot-overlay' });
  private readonly handles: DragHandle[] = [];
  private plot?: uPlot;
  private curveNames = '';
  private x: Float64Array = new Float64Array(0);
  private curves: readonly Curve[] = [];
  private full: Range = [0, 1];
  private visible: Range = [0, 1];
  private logarithmic = false;
  private yRange?: Range;
  private asked = 0;
  private lassoing = false;

  constructor(private readonly options: LinePlotOptions) {
    this.readoutText = el('span', { class: 'plot-readout', testid: `${options.testid}-readout` });
    const icon = (text: string, label: string, act: () => void): HTMLElement => {
      const element = el('button', { class: 'plot-button', text, label, title: label });
      element.addEventListener('click', act);
      return element;
    };
    const lasso = icon('⌑', t('Keep the band that is dragged over, in place of zooming to it'), () => {
      this.lassoing = !this.lassoing;
      lasso.setAttribute('aria-pressed', String(this.lassoing));
    });
    lasso.setAttribute('aria-pressed', 'false');
    lasso.dataset.testid = `${options.testid}-lasso`;
    this.body = el('div', {
      class: 'plot-body', testid: options.testid, tabIndex: 0, role: 'group',
      label: `${options.title}. ${t('Plus and minus zoom, arrow keys pan, 0 shows all.')}${options.onLasso ? ` ${t('B keeps the visible band.')}` : ''}`,
    });
    this.element = el('section', { class: 'plot' },
      el('div', { class: 'plot-head' },
        el('h3', { text: options.title }), el('span', { class: 'grow' }), ...(options.tools ?? []),
        el('span', { class: 'plot-buttons' },
          options.onLasso ? lasso : null, icon('−', t('Zoom out'), () => this.zoom(2)), icon('+', t('Zoom in'), () => this.zoom(0.5)), icon('⤢', t('Show all'), () => this.change(this.full)),
          options.onSave ? icon('↓', t('Save the plot as SVG or PNG'), () => this.save()) : null)),
      el('div', { class: 'plot-frame' }, this.body, this.overlay, this.readoutText));
    this.body.addEventListener('keydown', event => this.key(event));
    this.body.addEventListener('wheel', event => this.wheel(event), { passive: false });
    new ResizeObserver(() => this.resized()).observe(this.body);
    onThemeChange(() => this.rebuild());
  }

  /** Columns to ask for: one for each CSS pixel of the drawing area. A plot that grows or shrinks by much asks its owner again. */
  askColumns(): number {
    this.asked = this.fitting;
    return this.asked;
  }

  private get fitting(): number {
    return Math.max(64, Math.round(this.width - Y_AXIS_WIDTH));
  }

  get range(): Range {
    return this.visible;
  }

  addHandle(options: DragHandleOptions): DragHandle {
    const handle = new DragHandle(options);
    this.handles.push(handle);
    this.overlay.append(...handle.elements);
    if (this.plot) handle.attach(this.plot);
    return handle;
  }

  /** Sets what the whole axis is; the visible range is kept where it still fits. */
  setFull(full: Range, visible: Range = full): void {
    this.full = full;
    this.visible = clampRange(visible, full);
  }

  /** @param yRange fixed vertical range; fitted to the data when absent. */
  setData(x: Float64Array, curves: readonly Curve[], yRange?: Range): void {
    this.x = x;
    this.curves = curves;
    this.yRange = yRange;
    const names = curves.map(curve => curve.name).join();
    if (!this.plot || names !== this.curveNames) {
      this.curveNames = names;
      this.rebuild();
    } else {
      this.plot.setData(this.columnsForPlot());
    }
  }

  setLogarithmic(logarithmic: boolean): void {
    this.logarithmic = logarithmic;
    this.rebuild();
  }

  private resized(): void {
    if (!this.plot || this.body.clientWidth === 0) return;
    this.plot.setSize({ width: this.width, height: this.height });
    if (Math.abs(this.fitting - this.asked) > this.asked / 8) this.options.onRange(this.visible);
  }

  private get height(): number {
    return this.options.height ?? DEFAULT_HEIGHT;
  }

  private get width(): number {
    return Math.max(160, this.body.clientWidth);
  }

  private columnsForPlot(): uPlot.AlignedData {
    return [this.x, ...this.curves.flatMap(curve => [curve.values.min, curve.values.max])] as unknown as uPlot.AlignedData;
  }

  private rebuild(): void {
    if (this.x.length === 0) return;
    this.plot?.destroy();
    const colours = themeColours();
    const bands: uPlot.Band[] = [];
    const series: uPlot.Series[] = [{}];
    this.curves.forEach((curve, index) => {
      const stroke = colours[curve.name];
      const line: uPlot.Series = {
        stroke, width: colours.highContrast ? 2 : 1.25, points: { show: false }, scale: curve.name in OWN_SCALES ? curve.name : 'y',
        dash: curve.name === 'recausalised' ? [5, 3] : curve.name === 'compared' ? [8, 2] : curve.name === 'phase' ? [2, 2] : undefined,
        alpha: curve.name === 'gain' || curve.name === 'phase' ? 0.6 : curve.name === 'original' && this.curves.length > 1 ? 0.65 : 1,
      };
      series.push(line, { ...line });
      bands.push({ series: [2 * index + 2, 2 * index + 1], fill: withAlpha(stroke, FILLS[curve.name]) });
    });
    this.plot = new uPlot({
      width: this.width, height: this.height, series, bands, padding: [8, 12, 0, 0],
      legend: { show: false },
      cursor: { y: false, points: { show: false }, drag: { x: true, y: false, setScale: false } },
      scales: {
        x: { time: false, distr: this.logarithmic ? 3 : 1, range: () => [this.logarithmic ? Math.max(this.visible[0], 1) : this.visible[0], this.visible[1]] },
        y: { range: (_plot, low, high) => (this.yRange ? [this.yRange[0], this.yRange[1]] : padded(low, high)) },
        ...Object.fromEntries(Object.entries(OWN_SCALES).map(([name, range]) => [name, { range: [range[0], range[1]] as [number, number] }])),
      },
      axes: this.axes(colours),
      hooks: {
        setCursor: [plot => this.showReadout(plot)],
        setSelect: [plot => this.zoomToSelection(plot)],
        ready: [() => this.place()],
        setSize: [() => this.place()],
        setScale: [() => this.place()],
      },
    }, this.columnsForPlot(), this.body);
    this.plot.over.addEventListener('dblclick', () => this.change(this.full));
    for (const handle of this.handles) handle.attach(this.plot);
    this.place();
  }

  private place(): void {
    if (!this.plot) return;
    const { left, top, width, height } = this.plot.bbox;
    for (const [side, size] of Object.entries({ left, top, width, height })) this.overlay.style.setProperty(side, `${size / window.devicePixelRatio}px`);
    for (const handle of this.handles) handle.place();
  }

  private axes(colours: ThemeColours): uPlot.Axis[] {
    const common: uPlot.Axis = {
      stroke: colours.mutedText, font: colours.font, labelFont: colours.font,
      grid: { stroke: colours.gridLine, width: 1 }, ticks: { stroke: colours.gridLine, width: 1, size: 4 }, gap: 4,
    };
    const whole = (values: number[]): (string | null)[] => values.map(value => (value === null ? null : compact(value)));
    return [
      { ...common, label: this.options.xLabel, labelSize: 16, labelGap: 0, size: 26, values: (_plot, values) => whole(values) },
      { ...common, size: Y_AXIS_WIDTH, values: (_plot, values) => values.map(value => (this.options.formatY ?? compact)(value)) },
    ];
  }

  private showReadout(plot: uPlot): void {
    const left = plot.cursor.left ?? -1;
    this.readoutText.textContent = left < 0 || this.x.length === 0 ? '' : this.options.readout(columnAt(this.x, plot.posToVal(left, 'x')));
  }

  private zoomToSelection(plot: uPlot): void {
    const { left, width } = plot.select;
    if (width < 4) return;
    const range: Range = [plot.posToVal(left, 'x'), plot.posToVal(left + width, 'x')];
    plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    if (this.lassoing) this.options.onLasso?.(clampRange(range, this.full));
    else this.change(range);
  }

  private key(event: KeyboardEvent): void {
    if (event.target !== this.body || event.ctrlKey || event.metaKey || event.altKey) return;
    const act: Record<string, () => void> = {
      '+': () => this.zoom(0.5), '=': () => this.zoom(0.5), '-': () => this.zoom(2), 0: () => this.change(this.full),
      ArrowLeft: () => this.change(panRange(this.visible, -0.2, this.full)), ArrowRight: () => this.change(panRange(this.visible, 0.2, this.full)),
    };
    if (this.options.onLasso) act.b = act.B = () => this.options.onLasso?.(this.visible);
    if (!act[event.key]) return;
    event.preventDefault();
    act[event.key]();
  }

  private wheel(event: WheelEvent): void {
    if (!this.plot || !(event.ctrlKey || event.shiftKey)) return;
    event.preventDefault();
    if (event.ctrlKey) {
      const around = this.plot.posToVal(event.clientX - this.plot.over.getBoundingClientRect().left, 'x');
      this.change(zoomRange(this.visible, event.deltaY > 0 ? 1.25 : 0.8, around, this.full));
    } else {
      this.change(panRange(this.visible, (event.deltaY || event.deltaX) > 0 ? 0.1 : -0.1, this.full));
    }
  }

  private save(): void {
    if (!this.plot) return;
    const scale = (name: string): readonly [number, number] => [this.plot!.scales[name].min ?? 0, this.plot!.scales[name].max ?? 1];
    this.options.onSave?.(plotImage({
      title: this.options.title, xLabel: this.options.xLabel, x: this.x, end: this.visible[1], logarithmic: this.logarithmic, xRange: scale('x'),
      curves: this.curves.map(curve => ({ ...curve, range: scale(curve.name in OWN_SCALES ? curve.name : 'y') })), colours: themeColours(),
      canvas: this.plot.ctx.canvas, formatX: compact, formatY: this.options.formatY ?? compact,
    }));
  }

  private zoom(factor: number): void {
    this.change(zoomRange(this.visible, factor, (this.visible[0] + this.visible[1]) / 2, this.full));
  }

  private change(range: Range): void {
    const clamped = clampRange(range, this.full);
    if (sameRange(clamped, this.visible)) return;
    this.visible = clamped;
    this.plot?.setData(this.columnsForPlot());
    this.options.onRange(clamped);
  }
}

const padded = (low: number | null, high: number | null): [number, number] => {
  const [a, b] = [low ?? 0, high ?? 0];
  const margin = (b - a) * 0.06 || Math.abs(a) * 0.1 || 1;
  return [a - margin, b + margin];
};

/** Axis numbers: grouped below 100,000, with k, M above; short scientific where tiny. */
export function compact(value: number): string {
  const size = Math.abs(value);
  if (value === 0) return '0';
  if (size >= 1e6) return `${Number((value / 1e6).toPrecision(4))}M`;
  if (size >= 1e5) return `${Number((value / 1e3).toPrecision(4))}k`;
  if (size >= 1000) return value.toLocaleString('en-US');
  return size < 1e-3 ? value.toExponential(0) : String(Number(value.toPrecision(4)));
}
