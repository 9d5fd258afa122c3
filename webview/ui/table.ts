import { el } from './dom';

export interface Column { readonly title: string; readonly help?: string; readonly numeric?: boolean; /** Texts that wrap, so that the columns after them stay in view. */ readonly long?: boolean }

/** A plain table; the first cell of each row is its heading. */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[], options: { testid: string; caption: string }): HTMLElement {
  const head = el('tr', {}, ...columns.map(column => el('th', { text: column.title, title: column.help, class: column.numeric ? 'numeric' : undefined, set: { scope: 'col' } })));
  const body = rows.map(row => el('tr', {}, ...row.map((text, i) => (i === 0
    ? el('th', { text, title: text, set: { scope: 'row' } })
    : el('td', { text, class: columns[i].numeric ? 'numeric' : columns[i].long ? 'long' : undefined })))));
  return el('div', { class: 'table-frame', tabIndex: 0, role: 'region', label: options.caption },
    el('table', { testid: options.testid }, el('caption', { class: 'only-spoken', text: options.caption }), el('thead', {}, head), el('tbody', {}, ...body)));
}
