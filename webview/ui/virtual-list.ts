import { el } from './dom';

/** A list of equal rows of which only the visible ones exist: stays fluid with tens of thousands. */
export class VirtualList<T> {
  readonly element: HTMLElement;
  private readonly space = el('div', { class: 'virtual-space', role: 'presentation' });
  private items: readonly T[] = [];
  private first = -1;
  private last = -1;

  constructor(private readonly rowHeight: number, private readonly render: (item: T) => HTMLElement, testid: string, label: string) {
    this.element = el('div', { class: 'virtual-list', testid, role: 'list', label, tabIndex: 0 }, this.space);
    this.element.addEventListener('scroll', () => this.update());
    new ResizeObserver(() => this.update()).observe(this.element);
  }

  setItems(items: readonly T[]): void {
    this.items = items;
    this.space.style.height = `${items.length * this.rowHeight}px`;
    this.first = this.last = -1;
    this.element.scrollTop = 0;
    this.update();
  }

  private update(): void {
    const first = Math.max(0, Math.floor(this.element.scrollTop / this.rowHeight) - 5);
    const last = Math.min(this.items.length, Math.ceil((this.element.scrollTop + this.element.clientHeight) / this.rowHeight) + 5);
    if (first === this.first && last === this.last) return;
    this.first = first;
    this.last = last;
    this.space.replaceChildren(...this.items.slice(first, last).map((item, i) => {
      const row = this.render(item);
      row.style.top = `${(first + i) * this.rowHeight}px`;
      row.setAttribute('role', 'listitem');
      row.setAttribute('aria-setsize', String(this.items.length));
      row.setAttribute('aria-posinset', String(first + i + 1));
      return row;
    }));
  }
}
