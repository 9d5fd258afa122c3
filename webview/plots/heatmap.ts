import type { Heatmap, PlotImage } from '../../extension/core/protocol/webview';
import { el } from '../ui/dom';
import { onThemeChange, themeColours } from '../ui/theme';
import { COLOUR_TABLE, colourIndex } from './colour-map';
import { mapImage, saveButton } from './plot-image';
import { cellAt } from './scale';
import type { CellPlace } from './scale';
import { t } from '../ui/l10n';

export interface HeatmapOptions {
  readonly title: string;
  readonly testid: string;
  readonly rowLabel: string;
  readonly columnLabel: string;
  /** Lowest level of the colour map, in dB (negative). */
  readonly floor: number;
  readonly height: number;
  /** Text of the read-out for a tile. */
  readonly readout: (row: number, column: number, level: number) => string;
  /** Saves the map as it stands. */
  readonly onSave?: (image: PlotImage) => void;
  /** A row was chosen by click or by the up and down keys. */
  readonly onRow?: (row: number) => void;
}

/** A rows x columns map of levels in dB, painted into a canvas; one row can be marked and chosen. */
export class HeatmapView {
  readonly element: HTMLElement;
  private readonly canvas: HTMLCanvasElement;
  private readonly readoutText: HTMLElement;
  private map?: Heatmap;
  private tiles?: HTMLCanvasElement;
  private row: number | null = null;

  constructor(private readonly options: HeatmapOptions) {
    this.canvas = el('canvas', {
      class: 'map-canvas', testid: options.testid, tabIndex: 0, role: options.onRow ? 'slider' : 'img', label: options.title,
    });
    this.canvas.style.height = `${options.height}px`;
    this.readoutText = el('span', { class: 'plot-readout', testid: `${options.testid}-readout` });
    this.element = el('section', { class: 'plot map' },
      el('div', { class: 'plot-head' }, el('h3', { text: options.title }), this.readoutText, el('span', { class: 'grow' }), scaleLegend(options.floor),
        options.onSave ? saveButton(() => options.onSave?.(mapImage(options.title, this.canvas, options.rowLabel, options.columnLabel, themeColours()))) : null),
      el('div', { class: 'map-frame' },
        el('span', { class: 'map-row-label', text: options.rowLabel }),
        el('div', { class: 'map-body' }, this.canvas, el('span', { class: 'map-column-label', text: options.columnLabel }))));
    this.canvas.addEventListener('pointermove', event => this.hover(event));
    this.canvas.addEventListener('pointerleave', () => { this.readoutText.textContent = ''; });
    this.canvas.addEventListener('click', event => {
      const cell = this.cellOf(event);
      if (cell) this.options.onRow?.(cell.row);
    });
    this.canvas.addEventListener('keydown', event => this.key(event));
    new ResizeObserver(() => this.paint()).observe(this.canvas);
    onThemeChange(() => this.paint());
  }

  setData(map: Heatmap): void {
    this.map = map;
    this.tiles = paintTiles(map, this.options.floor);
    this.paint();
  }

  markRow(row: number | null): void {
    this.row = row;
    if (row !== null && this.map) {
      const said = { 'aria-valuemin': 0, 'aria-valuemax': this.map.rows - 1, 'aria-valuenow': row, 'aria-valuetext': `${this.options.rowLabel} ${row}` };
      for (const [name, value] of Object.entries(said)) this.canvas.setAttribute(name, String(value));
    }
    this.paint();
  }

  private cellOf(event: MouseEvent): CellPlace | null {
    const { width, height } = this.canvas.getBoundingClientRect();
    return this.map ? cellAt(event.offsetX, event.offsetY, width, height, this.map.rows, this.map.columns) : null;
  }

  private hover(event: PointerEvent): void {
    const cell = this.cellOf(event);
    this.readoutText.textContent = cell && this.map
      ? this.options.readout(cell.row, cell.column, this.map.values[cell.row * this.map.columns + cell.column]) : '';
  }

  private key(event: KeyboardEvent): void {
    if (!this.options.onRow || !this.map || !['ArrowUp', 'ArrowDown'].includes(event.key)) return;
    event.preventDefault();
    const next = (this.row ?? 0) + (event.key === 'ArrowUp' ? -1 : 1);
    this.options.onRow(Math.min(this.map.rows - 1, Math.max(0, next)));
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
    if (this.row === null) return;
    const rowHeight = height / this.map.rows;
    const top = this.row * rowHeight;
    const colours = themeColours();
    context.lineWidth = 1;
    // Two lines, one light and one dark, are seen on every colour of the map.
    for (const [offset, stroke] of [[0, '#ffffff'], [1, '#000000']] as const) {
      context.strokeStyle = colours.highContrast && offset === 0 ? colours.focus : stroke;
      context.strokeRect(0.5, top - 0.5 - offset, width - 1, rowHeight + 1 + 2 * offset);
    }
  }
}

/** One pixel for each tile. */
export function paintTiles(map: Heatmap, floor: number): HTMLCanvasElement {
  const canvas = document.createElement('canvas');
  canvas.width = map.columns;
  canvas.height = map.rows;
  const context = canvas.getContext('2d')!;
  const image = context.createImageData(map.columns, map.rows);
  for (let i = 0; i < map.values.length; i++) {
    const at = colourIndex(map.values[i], floor) * 3;
    image.data[i * 4] = COLOUR_TABLE[at];
    image.data[i * 4 + 1] = COLOUR_TABLE[at + 1];
    image.data[i * 4 + 2] = COLOUR_TABLE[at + 2];
    image.data[i * 4 + 3] = 255;
  }
  context.putImageData(image, 0, 0);
  return canvas;
}

/** The colour bar with its two ends. */
export function scaleLegend(floor: number): HTMLElement {
  const bar = el('canvas', { class: 'scale-bar', set: { width: '64', height: '1', 'aria-hidden': 'true' } });
  const context = bar.getContext('2d')!;
  for (let x = 0; x < 64; x++) {
    const at = Math.round((x / 63) * 255) * 3;
    context.fillStyle = `rgb(${COLOUR_TABLE[at]}, ${COLOUR_TABLE[at + 1]}, ${COLOUR_TABLE[at + 2]})`;
    context.fillRect(x, 0, 1, 1);
  }
  return el('span', { class: 'scale', title: t('Level relative to the largest') }, `${floor}`, bar, '0 dB');
}
