import { el, uniqueId } from './dom';

export interface TabPage<Name extends string> { readonly name: Name; readonly label: string; readonly content: HTMLElement }

/** A row of tabs over their pages, as the ARIA practice describes it: arrows move between tabs. */
export class Tabs<Name extends string> {
  readonly bar: HTMLElement;
  readonly body: HTMLElement;
  private readonly buttons = new Map<Name, HTMLButtonElement>();

  constructor(private readonly pages: readonly TabPage<Name>[], label: string, private readonly onShow: (name: Name) => void) {
    this.bar = el('div', { class: 'tabs', role: 'tablist', label });
    this.body = el('div', { class: 'tab-pages' });
    for (const page of pages) {
      const id = uniqueId('tab');
      const tab = el('button', { class: 'tab', role: 'tab', id, testid: `tab-${page.name}`, text: page.label });
      tab.addEventListener('click', () => this.show(page.name));
      this.buttons.set(page.name, tab);
      page.content.setAttribute('role', 'tabpanel');
      page.content.setAttribute('aria-labelledby', id);
      this.bar.append(tab);
      this.body.append(page.content);
    }
    this.bar.addEventListener('keydown', event => {
      const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
      if (step === 0) return;
      const at = this.pages.findIndex(page => this.buttons.get(page.name) === document.activeElement);
      const next = this.pages[(at + step + this.pages.length) % this.pages.length];
      this.show(next.name);
      this.buttons.get(next.name)?.focus();
    });
  }

  show(name: Name): void {
    for (const page of this.pages) {
      const selected = page.name === name;
      const tab = this.buttons.get(page.name)!;
      tab.setAttribute('aria-selected', String(selected));
      tab.tabIndex = selected ? 0 : -1;
      page.content.hidden = !selected;
    }
    this.onShow(name);
  }

  focus(name: Name): void {
    this.buttons.get(name)!.focus();
  }

  setLabel(name: Name, label: string): void {
    this.buttons.get(name)!.textContent = label;
  }
}
