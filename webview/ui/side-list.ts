import { el } from './dom';

export interface SideItem { readonly id: string; readonly name: string; readonly detail: string; readonly title?: string }

/** The list of sites on the left: one is current. */
export class SideList {
  readonly element: HTMLElement;
  private readonly list: HTMLElement;
  private readonly buttons = new Map<string, HTMLButtonElement>();

  constructor(heading: string, private readonly testid: string, private readonly onSelect: (id: string) => void, foot?: HTMLElement) {
    this.list = el('div', { role: 'group', label: heading, testid });
    this.element = el('nav', { class: 'side' }, el('h2', { text: heading }), this.list, foot ?? null);
    this.list.addEventListener('keydown', event => {
      const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
      const all = [...this.buttons.values()];
      const at = all.indexOf(document.activeElement as HTMLButtonElement);
      if (step === 0 || at < 0) return;
      event.preventDefault();
      const next = all[at + step];
      next?.focus();
      next?.click();
    });
  }

  setItems(items: readonly SideItem[], current: string | undefined): void {
    const focused = [...this.buttons].find(([, button]) => button === document.activeElement)?.[0];
    this.buttons.clear();
    this.list.replaceChildren(...items.map(item => {
      const button = el('button', { class: 'side-item', title: item.title ?? item.name, testid: `${this.testid}-item` },
        el('span', { class: 'name', text: item.name }), el('span', { class: 'detail', text: item.detail }));
      button.dataset.id = item.id;
      button.addEventListener('click', () => this.onSelect(item.id));
      this.buttons.set(item.id, button);
      return button;
    }));
    this.setCurrent(current);
    if (focused) this.buttons.get(focused)?.focus();
  }

  setCurrent(id: string | undefined): void {
    for (const [itemId, button] of this.buttons) button.setAttribute('aria-current', String(itemId === id));
  }
}
