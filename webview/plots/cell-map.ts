import type { Heatmap, PlotImage } from '../../extension/core/protocol/webview';
import { el } from '../ui/dom';
import { percent } from '../ui/format';
import { onThemeChange, themeColours, withAlpha } from '../ui/theme';
import { paintTiles, scaleLegend } from './heatmap';
import { mapImage, saveButton } from './plot-image';
import { cellAt, cellsBetween } from './scale';
import type { CellPlace } from './scale';
import { t } from '../ui/l10n';

const FLOOR = -60;

export interface CellMapOptions {
  readonly title: string;
  readonly testid: string;
  readonly height: number;
  /** Saves the map as it stands. */
  readonly onSave?: (image: PlotImage) => void;
  /** Controls that stand in the map's title row. */
  readonly tools?: readonly HTMLElement[];
  /**
   * Present when the map can be painted. `cells` are row-column pairs of one stroke; `add` is decided by its first cell.
   * `done` is true once, at the end of a stroke or for a key press.
   */
  readonly onPaint?: (cells: readonly CellPlace[], add: boolean, done: boolean) => void;
}

/**
 * The Monarch cells of a filter: rows n1 (frequency modulo N1), columns the bands of the last digit, coloured by energy.
 * Dropped cells are covered and hatched, so that the mask does not depend on colour. Painted with the mouse, or with the
 * arrow keys and the space bar (Shift + arrows paints on).
 */
export class CellMap {
  readonly element: HTMLElement;
  private readonly canvas: HTMLCanvasElement;
  private readonly readoutText: HTMLElement;
  private readonly spoken: HTMLElement;
  private map?: Heatmap;
  private tiles?: HTMLCanvasElement;
  /** [rows * columns] mean effective gain of each cell, row-major. */
  private gains?: Float64Array;
  private cursor: CellPlace = { row: 0, column: 0 };
  private stroke?: { add: boolean; cells: CellPlace[] };
  private showCursor = false;

  constructor(private readonly options: CellMapOptions) {
    const help = options.onPaint ? ` ${t('Arrow keys move, space keeps or drops a cell, Shift with an arrow continues the stroke.')}` : '';
    this.canvas = el('canvas', {
      class: `map-canvas${options.onPaint ? ' paintable' : ''}`, testid: options.testid, tabIndex: 0,
      role: options.onPaint ? 'application' : 'img', label: `${options.title}.${help}`,
    });
    this.canvas.style.height = `${options.height}px`;
    this.readoutText = el('span', { class: 'plot-readout', testid: `${options.testid}-readout` });
    this.spoken = el('span', { class: 'only-spoken', set: { 'aria-live': 'polite' } });
    this.element = el('section', { class: 'plot map' },
      el('div', { class: 'plot-head' }, el('h3', { text: options.title }), this.readoutText, el('span', { class: 'grow' }), ...(options.tools ?? []), scaleLegend(FLOOR),
        options.onSave ? saveButton(() => options.onSave?.(mapImage(options.title, this.canvas, t('n1 = frequency mod N1'), t('band (last digit): 0 to sampling frequency'), themeColours()))) : null),
      el('div', { class: 'map-frame' },
        el('span', { class: 'map-row-label', text: t('n1 = frequency mod N1') }),
        el('div', { class: 'map-body' }, this.canvas, el('span', { class: 'map-column-label', text: t('band (last digit): 0 to sampling frequency') }))),
      this.spoken);
    this.canvas.addEventListener('pointerdown', event => this.down(event));
    this.canvas.addEventListener('pointermove', event => this.move(event));
    this.canvas.addEventListener('pointerup', () => this.finish());
    this.canvas.addEventListener('pointerleave', () => { this.readoutText.textContent = ''; });
    this.canvas.addEventListener('keydown', event => this.key(event));
    this.canvas.addEventListener('focus', () => { this.showCursor = this.canvas.matches(':focus-visible'); this.paint(); });
    this.canvas.addEventListener('blur', () => { this.showCursor = false; this.paint(); });
    new ResizeObserver(() => this.paint()).observe(this.canvas);
    onThemeChange(() => this.paint());
  }

  setData(map: Heatmap): void {
    this.map = map;
    this.tiles = paintTiles(map, FLOOR);
    this.cursor = { row: Math.min(this.cursor.row, map.rows - 1), column: Math.min(this.cursor.column, map.columns - 1) };
    this.paint();
  }

  /** @param gains [rows * columns] mean effective gain of each cell, row-major; absent: all kept. */
  setGains(gains: Float64Array | undefined): void {
    this.gains = gains;
    this.paint();
  }

  private gainOf({ row, column }: CellPlace): number {
    return this.gains && this.map ? this.gains[row * this.map.columns + column] : 1;
  }

  private place(event: MouseEvent): CellPlace | null {
    const { width, height } = this.canvas.getBoundingClientRect();
    return this.map ? cellAt(event.offsetX, event.offsetY, width, height, this.map.rows, this.map.columns) : null;
  }

  private describe(cell: CellPlace): string {
    const level = this.map!.values[cell.row * this.map!.columns + cell.column];
    const gain = this.gains ? ` · ${this.gainOf(cell) === 0 ? t('dropped') : this.gainOf(cell) === 1 ? t('kept') : t('gain {0}', percent(this.gainOf(cell)))}` : '';
    return t('n1 {0}, band {1} · {2} dB', cell.row, cell.column, level.toFixed(0)) + gain;
  }

  private down(event: PointerEvent): void {
    const cell = this.place(event);
    if (!cell || !this.options.onPaint) return;
    this.canvas.setPointerCapture(event.pointerId);
    this.cursor = cell;
    this.stroke = { add: this.gainOf(cell) === 0, cells: [cell] };
    this.options.onPaint(this.stroke.cells, this.stroke.add, false);
  }

  private move(event: PointerEvent): void {
    const cell = this.place(event);
    if (!cell || !this.map) return;
    this.readoutText.textContent = this.describe(cell);
    if (!this.stroke || (cell.row === this.cursor.row && cell.column === this.cursor.column)) return;
    this.stroke.cells.push(...cellsBetween(this.cursor, cell).slice(1));
    this.cursor = cell;
    this.options.onPaint?.(this.stroke.cells, this.stroke.add, false);
  }

  private finish(): void {
    if (!this.stroke) return;
    const { cells, add } = this.stroke;
    this.stroke = undefined;
    this.options.onPaint?.(cells, add, true);
  }

  private key(event: KeyboardEvent): void {
    if (!this.map || event.ctrlKey || event.metaKey || event.altKey) return;
    const steps: Record<string, [number, number]> = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
    const step = steps[event.key];
    if (step) {
      const add = this.gainOf(this.cursor) > 0;
      this.cursor = {
        row: Math.min(this.map.rows - 1, Math.max(0, this.cursor.row + step[0])),
        column: Math.min(this.map.columns - 1, Math.max(0, this.cursor.column + step[1])),
      };
      if (event.shiftKey) this.options.onPaint?.([this.cursor], add, true);
    } else if (event.key === ' ') {
      this.options.onPaint?.([this.cursor], this.gainOf(this.cursor) === 0, true);
    } else {
      return;
    }
    event.preventDefault();
    this.showCursor = true;
    this.readoutText.textContent = this.describe(this.cursor);
    this.spoken.textContent = this.describe(this.cursor);
    this.paint();
  }

  private paint(): void {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    if (!this.tiles || !this.map || width === 0) return;
    const ratio = window.devicePixelRatio;
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(height * ratio);
    const context = this.canvas.getContext('2d')!;
    context.imageSmoothingEnabled = false;
    context.scale(ratio, ratio);
    context.drawImage(this.tiles, 0, 0, width, height);
    const colours = themeColours();
    const { rows, columns } = this.map;
    const [w, h] = [width / columns, height / rows];
    const hatch = hatching(context, colours.text, colours.highContrast ? 0.9 : 0.35);
    for (let row = 0; row < rows && this.gains; row++) {
      for (let column = 0; column < columns; column++) {
        const gain = this.gainOf({ row, column });
        if (gain >= 1) continue;
        context.fillStyle = withAlpha(colours.background, 0.88 * (1 - gain));
        context.fillRect(column * w, row * h, w, h);
        if (gain > 0) continue;
        context.fillStyle = hatch;
        context.fillRect(column * w, row * h, w, h);
      }
    }
    this.paintLines(context, width, height, colours.highContrast ? colours.text : withAlpha(colours.background, 0.55));
    if (this.showCursor) {
      context.strokeStyle = '#000000';
      context.lineWidth = 3;
      context.strokeRect(this.cursor.column * w + 1.5, this.cursor.row * h + 1.5, w - 3, h - 3);
      context.strokeStyle = '#ffffff';
      context.lineWidth = 1.5;
      context.strokeRect(this.cursor.column * w + 1.5, this.cursor.row * h + 1.5, w - 3, h - 3);
    }
  }

  private paintLines(context: CanvasRenderingContext2D, width: number, height: number, stroke: string): void {
    const { rows, columns } = this.map!;
    if (height / rows < 5 || width / columns < 5) return;
    context.strokeStyle = stroke;
    context.lineWidth = 1;
    context.beginPath();
    for (let column = 1; column < columns; column++) {
      const x = Math.round((column * width) / columns) + 0.5;
      context.moveTo(x, 0);
      context.lineTo(x, height);
    }
    for (let row = 1; row < rows; row++) {
      const y = Math.round((row * height) / rows) + 0.5;
      context.moveTo(0, y);
      context.lineTo(width, y);
    }
    context.stroke();
  }
}

function hatching(context: CanvasRenderingContext2D, colour: string, alpha: number): CanvasPattern {
  const tile = document.createElement('canvas');
  tile.width = tile.height = 6;
  const lines = tile.getContext('2d')!;
  lines.strokeStyle = withAlpha(colour, alpha);
  lines.lineWidth = 1;
  lines.beginPath();
  lines.moveTo(-1, 7);
  lines.lineTo(7, -1);
  lines.stroke();
  return context.createPattern(tile, 'repeat')!;
}
