import type { SweepRow } from '../../extension/core/protocol/webview';
import { el } from '../ui/dom';
import { plural, speedup } from '../ui/format';
import { svg } from '../ui/svg';
import { niceTicks } from '../plots/ticks';
import { t } from '../ui/l10n';

const WIDEST = 860, HEIGHT = 320, LEFT = 58, RIGHT = 18, TOP = 14, BOTTOM = 40;

/** Rise of the perplexity in percent, of the worse of the masked and the re-causalised model. */
export const lossOf = (row: SweepRow): number => 100 * Math.expm1(Math.max(row.masked.nllDifference.mean, row.recausalised.nllDifference.mean));

/**
 * Quality against speed, one point for each setting: right is faster, down is better. Points that no other beats are filled squares joined by a
 * line, the others open circles. Every point is a button: Tab and the arrow keys move between them, Enter chooses.
 */
export class ParetoPlot {
  readonly element: HTMLElement;
  private readonly frame = el('div', { class: 'pareto-frame' });
  private readonly readout = el('p', { class: 'muted pareto-readout', testid: 'pareto-readout', set: { 'aria-live': 'polite' } });
  private points: SVGElement[] = [];
  private width = WIDEST;
  private rows: readonly SweepRow[] = [];
  private chosen?: string;

  constructor(private readonly onChoose: (row: SweepRow) => void) {
    this.element = el('section', { class: 'plot', label: t('Quality against speed'), testid: 'pareto-plot' }, el('h2', { text: t('Quality against speed') }), this.frame, this.readout);
    this.frame.addEventListener('keydown', event => this.key(event));
    new ResizeObserver(() => this.resized()).observe(this.frame);
  }

  show(rows: readonly SweepRow[], chosen: string | undefined): void {
    if (chosen !== this.chosen) this.readout.textContent = '';
    this.rows = rows;
    this.chosen = chosen;
    this.draw();
  }

  /** Drawn as wide as its frame, not scaled into it: its text stays legible in a narrow pane. */
  private resized(): void {
    const width = Math.min(WIDEST, this.frame.clientWidth);
    if (width === 0 || width === this.width) return;
    this.width = width;
    this.draw();
  }

  private draw(): void {
    const { rows, chosen, width } = this;
    const focused = this.points.findIndex(point => point === document.activeElement);
    const x = axis(rows.map(row => row.speedup), 1, LEFT, width - RIGHT);
    const y = axis(rows.map(lossOf), 0, HEIGHT - BOTTOM, TOP);
    const front = rows.filter(row => row.pareto).sort((a, b) => a.speedup - b.speedup);
    this.points = rows.map((row, i) => this.point(row, x.place(row.speedup), y.place(lossOf(row)), row.key === chosen, i === 0));
    this.frame.replaceChildren(svg('svg', { width, height: HEIGHT, class: 'pareto', role: 'group', 'aria-label': `${t('Quality against speed')}, ${plural(rows.length, 'setting')}` },
      ...x.ticks.flatMap(tick => [
        svg('line', { class: 'grid-line', x1: x.place(tick), x2: x.place(tick), y1: TOP, y2: HEIGHT - BOTTOM }),
        svg('text', { x: x.place(tick), y: HEIGHT - BOTTOM + 15, 'text-anchor': 'middle' }, `${tick}×`),
      ]),
      ...y.ticks.flatMap(tick => [
        svg('line', { class: 'grid-line', x1: LEFT, x2: width - RIGHT, y1: y.place(tick), y2: y.place(tick) }),
        svg('text', { x: LEFT - 6, y: y.place(tick) + 4, 'text-anchor': 'end' }, `${tick}%`),
      ]),
      svg('line', { class: 'base-line', x1: LEFT, x2: width - RIGHT, y1: y.place(0), y2: y.place(0) }),
      svg('line', { class: 'base-line', x1: x.place(1), x2: x.place(1), y1: TOP, y2: HEIGHT - BOTTOM }),
      svg('text', { x: (LEFT + width - RIGHT) / 2, y: HEIGHT - 6, 'text-anchor': 'middle' }, t('speed-up of all long convolutions')),
      svg('text', { x: 14, y: (TOP + HEIGHT - BOTTOM) / 2, 'text-anchor': 'middle', transform: `rotate(-90 14 ${(TOP + HEIGHT - BOTTOM) / 2})` }, t('rise of perplexity')),
      svg('polyline', { class: 'front', points: front.map(row => `${x.place(row.speedup)},${y.place(lossOf(row))}`).join(' ') }),
      ...this.points));
    if (focused >= 0) this.points[Math.min(focused, this.points.length - 1)]?.focus();
  }

  private point(row: SweepRow, x: number, y: number, chosen: boolean, first: boolean): SVGElement {
    const shape = row.pareto ? svg('rect', { x: x - 5, y: y - 5, width: 10, height: 10 }) : svg('circle', { cx: x, cy: y, r: 5 });
    const group = svg('g', {
      class: `point${row.pareto ? ' on-front' : ''}${chosen ? ' chosen' : ''}`, role: 'button', tabindex: chosen || first ? 0 : -1, 'data-testid': 'pareto-point', 'data-key': row.key,
      'aria-label': describeRow(row), 'aria-pressed': String(chosen),
    }, shape, svg('circle', { class: 'target', cx: x, cy: y, r: 12 }));
    // The chosen one is described beside its buttons.
    const say = (): void => { this.readout.textContent = chosen ? '' : describeRow(row); };
    group.addEventListener('pointerenter', say);
    group.addEventListener('focus', say);
    group.addEventListener('click', () => this.onChoose(row));
    return group;
  }

  private key(event: KeyboardEvent): void {
    const at = this.points.findIndex(point => point === document.activeElement);
    if (at < 0) return;
    const step = event.key === 'ArrowRight' || event.key === 'ArrowDown' ? 1 : event.key === 'ArrowLeft' || event.key === 'ArrowUp' ? -1 : 0;
    if (step !== 0) this.points[(at + step + this.points.length) % this.points.length].focus();
    else if (event.key === 'Enter' || event.key === ' ') this.points[at].dispatchEvent(new MouseEvent('click', { bubbles: true }));
    else return;
    event.preventDefault();
  }
}

export function describeRow(row: SweepRow): string {
  const loss = lossOf(row);
  const text = t('{0}: {1} speed-up, perplexity {2}', row.label, speedup(row.speedup), `${loss < 0 ? '−' : '+'}${Math.abs(loss).toFixed(2)}%`);
  return row.pareto ? `${text}, ${t('on the front')}` : text;
}

/** A linear axis that holds all values and `always`, with round ticks. */
function axis(values: readonly number[], always: number, from: number, to: number): { readonly ticks: readonly number[]; readonly place: (value: number) => number } {
  const low = Math.min(always, ...values), high = Math.max(always, ...values);
  const margin = (high - low || 0.5) * 0.08;
  const [begin, end] = [low - margin, high + margin];
  return { ticks: niceTicks(begin, end, 6), place: value => from + ((value - begin) / (end - begin)) * (to - from) };
}
