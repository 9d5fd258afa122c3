import type { MinMax, PlotImage } from '../../extension/core/protocol/webview';
import { el } from '../ui/dom';
import { t } from '../ui/l10n';
import type { ThemeColours } from '../ui/theme';
import { niceTicks } from './ticks';

type ColourName = 'original' | 'masked' | 'recausalised' | 'gain' | 'compared' | 'phase';
export interface DrawnCurve { readonly name: ColourName; readonly values: MinMax; readonly range: readonly [number, number] }

export interface DrawnPlot {
  readonly title: string;
  readonly xLabel: string;
  /** Starts of the columns; the last one ends at `end`. */
  readonly x: Float64Array;
  readonly end: number;
  readonly logarithmic: boolean;
  readonly xRange: readonly [number, number];
  readonly curves: readonly DrawnCurve[];
  readonly colours: ThemeColours;
  /** What the PNG is taken from. */
  readonly canvas: HTMLCanvasElement;
  readonly formatX: (value: number) => string;
  readonly formatY: (value: number) => string;
}

const NAMES: Record<ColourName, string> = {
  original: t('original'), masked: t('masked'), recausalised: t('re-causalised'), gain: t('gain g(f)'), compared: t('compared'), phase: t('phase −π … π'),
};
const WIDTH = 720, HEIGHT = 360, LEFT = 64, RIGHT = 16, TOP = 34, BOTTOM = 46;

export function saveButton(act: () => void): HTMLElement {
  const label = t('Save the map as SVG or PNG');
  const element = el('button', { class: 'plot-button', text: '↓', label, title: label });
  element.addEventListener('click', act);
  return element;
}

/** A line plot as a drawing of its own (SVG, with axes, names and the theme's colours) and as the pixels on the page (PNG). */
export function plotImage(plot: DrawnPlot): PlotImage {
  return { name: plot.title, svg: lineSvg(plot), png: pngOf(plot.canvas, plot.colours.background) };
}

/** A map as its pixels; in the SVG they stand in a frame with the names of the axes. */
export function mapImage(title: string, canvas: HTMLCanvasElement, rowLabel: string, columnLabel: string, colours: ThemeColours): PlotImage {
  const png = pngOf(canvas, colours.background);
  const data = `data:image/png;base64,${btoa(Array.from(png, byte => String.fromCharCode(byte)).join(''))}`;
  const [w, h] = [WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM];
  return {
    name: title, png, svg: frame(title, colours, [
      `<image x="${LEFT}" y="${TOP}" width="${w}" height="${h}" preserveAspectRatio="none" href="${data}"/>`,
      `<text x="${LEFT + w / 2}" y="${HEIGHT - 10}" text-anchor="middle">${text(columnLabel)}</text>`,
      `<text transform="rotate(-90 20 ${TOP + h / 2})" x="20" y="${TOP + h / 2}" text-anchor="middle">${text(rowLabel)}</text>`,
    ]),
  };
}

function lineSvg({ title, xLabel, x, end, logarithmic, xRange, curves, colours, formatX, formatY }: DrawnPlot): string {
  const scale = logarithmic ? Math.log10 : (value: number): number => value;
  const [x0, x1] = xRange.map(value => scale(Math.max(value, logarithmic ? 1e-9 : -Infinity)));
  const px = (value: number): number => round(LEFT + ((scale(Math.max(value, logarithmic ? xRange[0] : -Infinity)) - x0) / (x1 - x0)) * (WIDTH - LEFT - RIGHT));
  const main = curves.find(({ name }) => name !== 'gain' && name !== 'phase') ?? curves[0];
  const py = (value: number, [low, high]: readonly [number, number]): number => round(HEIGHT - BOTTOM - ((value - low) / (high - low)) * (HEIGHT - TOP - BOTTOM));
  const xTicks = logarithmic ? powersOfTen(xRange[0], xRange[1]) : niceTicks(xRange[0], xRange[1], 8);
  const parts = [
    ...xTicks.flatMap(tick => [`<path d="M${px(tick)} ${TOP}V${HEIGHT - BOTTOM}" stroke="${colours.gridLine}"/>`, `<text x="${px(tick)}" y="${HEIGHT - BOTTOM + 16}" text-anchor="middle">${formatX(tick)}</text>`]),
    ...niceTicks(main.range[0], main.range[1], 6).flatMap(tick => [
      `<path d="M${LEFT} ${py(tick, main.range)}H${WIDTH - RIGHT}" stroke="${colours.gridLine}"/>`, `<text x="${LEFT - 6}" y="${py(tick, main.range) + 4}" text-anchor="end">${formatY(tick)}</text>`]),
    `<text x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - 10}" text-anchor="middle">${text(xLabel)}</text>`,
    ...curves.map(({ name, values, range }) => {
      const at = (i: number): number => px(i < x.length ? x[i] : end);
      const upper = Array.from(values.max, (value, i) => `${at(i)} ${py(value, range)}`);
      const lower = Array.from(values.min, (value, i) => `${at(i)} ${py(value, range)}`).reverse();
      return `<path d="M${upper.join('L')}L${lower.join('L')}Z" fill="${colours[name]}" fill-opacity="0.3" stroke="${colours[name]}" stroke-width="1.2"><title>${text(NAMES[name])}</title></path>`;
    }),
    ...curves.map(({ name }, i) => `<text x="${WIDTH - RIGHT}" y="${TOP + 14 + 14 * i}" text-anchor="end" fill="${colours[name]}">${text(NAMES[name])}</text>`),
  ];
  return frame(title, colours, parts);
}

function frame(title: string, colours: ThemeColours, parts: readonly string[]): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${HEIGHT}" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="11" fill="${colours.text}">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="${colours.background}"/>`, `<text x="${LEFT}" y="20" font-size="13" font-weight="600">${text(title)}</text>`, ...parts, '</svg>', '',
  ].join('\n');
}

function pngOf(canvas: HTMLCanvasElement, background: string): Uint8Array {
  const copy = document.createElement('canvas');
  copy.width = canvas.width;
  copy.height = canvas.height;
  const context = copy.getContext('2d')!;
  context.fillStyle = background;
  context.fillRect(0, 0, copy.width, copy.height);
  context.drawImage(canvas, 0, 0);
  const encoded = copy.toDataURL('image/png').split(',')[1];
  return Uint8Array.from(atob(encoded), character => character.charCodeAt(0));
}

function powersOfTen(low: number, high: number): number[] {
  const ticks: number[] = [];
  for (let power = Math.max(0, Math.ceil(Math.log10(low))); 10 ** power <= high; power++) ticks.push(10 ** power);
  return ticks;
}

const text = (value: string): string => value.replace(/[&<>]/g, character => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[character]!);
const round = (value: number): number => Math.round(value * 10) / 10;
