import type uPlot from 'uplot';
import { el } from '../ui/dom';

export interface DragHandleOptions {
  readonly label: string;
  readonly testid: string;
  /** The side whose values the handle drops: drawn hatched. */
  readonly drops: 'left' | 'right';
  /** Values the handle can take, whole numbers. */
  readonly limits: () => readonly [number, number];
  /** Spoken and shown value. */
  readonly describe: (value: number) => string;
  /** Called while dragging and for each key press. */
  readonly onInput: (value: number) => void;
  /** Called once at the end of a drag, or after a key press. */
  readonly onCommit: (value: number) => void;
}

/** A vertical line over a plot, dragged by mouse or moved by arrow keys; one step is one lag or bin, with Shift a sixteenth of the view. */
export class DragHandle {
  private readonly line: HTMLElement;
  private readonly dropped: HTMLElement;
  private plot?: uPlot;
  private value: number | null = null;
  private dragging = false;

  constructor(private readonly options: DragHandleOptions) {
    this.line = el('div', { class: 'handle', role: 'slider', tabIndex: 0, testid: options.testid, label: options.label, set: { 'aria-orientation': 'horizontal' } });
    this.line.append(el('span', { class: 'handle-grip' }));
    this.dropped = el('div', { class: 'dropped', set: { 'aria-hidden': 'true' } });
    this.line.addEventListener('pointerdown', event => this.start(event));
    this.line.addEventListener('pointermove', event => this.move(event));
    this.line.addEventListener('pointerup', event => this.end(event));
    this.line.addEventListener('mousedown', event => event.stopPropagation());
    this.line.addEventListener('keydown', event => this.key(event));
  }

  /** null hides the handle. */
  set(value: number | null): void {
    if (this.dragging) return;
    this.value = value;
    this.place();
  }

  /** What stands over the plot. */
  get elements(): HTMLElement[] {
    return [this.dropped, this.line];
  }

  attach(plot: uPlot): void {
    this.plot = plot;
    this.place();
  }

  place(): void {
    const plot = this.plot;
    // A plot that was just built has no size yet; a handle that is hidden for that moment would lose the focus.
    if (plot?.status === 0) return;
    const value = this.value;
    const width = plot?.over.clientWidth ?? 0;
    const hidden = !plot || value === null;
    const at = hidden ? 0 : plot.valToPos(Math.max(value, plot.scales.x.distr === 3 ? 0.5 : -Infinity), 'x');
    this.line.hidden = hidden || at < -1 || at > width + 1;
    this.dropped.hidden = hidden;
    if (hidden) return;
    const inside = Math.min(width, Math.max(0, at));
    this.line.style.left = `${inside}px`;
    this.dropped.style.left = `${this.options.drops === 'left' ? 0 : inside}px`;
    this.dropped.style.width = `${this.options.drops === 'left' ? inside : width - inside}px`;
    const [low, high] = this.options.limits();
    const said = { 'aria-valuemin': low, 'aria-valuemax': high, 'aria-valuenow': value, 'aria-valuetext': this.options.describe(value) };
    for (const [name, text] of Object.entries(said)) this.line.setAttribute(name, String(text));
    this.line.title = this.options.describe(value);
  }

  private start(event: PointerEvent): void {
    event.stopPropagation();
    event.preventDefault();
    this.line.focus();
    this.line.setPointerCapture(event.pointerId);
    this.dragging = true;
  }

  private move(event: PointerEvent): void {
    if (!this.dragging || !this.plot) return;
    event.stopPropagation();
    this.take(Math.round(this.plot.posToVal(event.clientX - this.plot.over.getBoundingClientRect().left, 'x')));
  }

  private end(event: PointerEvent): void {
    if (!this.dragging) return;
    event.stopPropagation();
    this.dragging = false;
    if (this.value !== null) this.options.onCommit(this.value);
  }

  private key(event: KeyboardEvent): void {
    const span = this.plot ? (this.plot.scales.x.max ?? 0) - (this.plot.scales.x.min ?? 0) : 16;
    const step = event.shiftKey ? Math.max(1, Math.round(span / 16)) : 1;
    const [low, high] = this.options.limits();
    const target: Record<string, number> = {
      ArrowLeft: (this.value ?? low) - step, ArrowDown: (this.value ?? low) - step, ArrowRight: (this.value ?? low) + step,
      ArrowUp: (this.value ?? low) + step, Home: low, End: high,
    };
    if (!(event.key in target) || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    this.take(target[event.key]);
    this.options.onCommit(this.value ?? low);
  }

  private take(value: number): void {
    const [low, high] = this.options.limits();
    const next = Math.min(high, Math.max(low, value));
    if (next === this.value) return;
    this.value = next;
    this.place();
    this.options.onInput(next);
  }
}
