import { el } from './dom';

/** A spinner with a sentence: something is being read. (The toolkit's own ring has inline styles, which the pages' CSP forbids.) */
export function loading(sentence: string): HTMLElement {
  return el('div', { class: 'loading', testid: 'loading', role: 'status' }, el('span', { class: 'spinner', set: { 'aria-hidden': 'true' } }), sentence);
}
