import type { ModelSummary } from '../../extension/core/protocol/webview';
import { el } from '../ui/dom';
import { bytes, count } from '../ui/format';
import { t } from '../ui/l10n';

/** What a file of no known family is. */
export function fileOverview(name: string, size: number, tensors: number): HTMLElement {
  return el('header', { class: 'page-head', testid: 'overview' },
    el('div', { class: 'title-row' }, el('h1', { text: name })), el('dl', { class: 'facts' }, fact('size', t('Size'), bytes(size)), fact('tensors', t('Tensors'), count(tensors))));
}

const fact = (id: string, name: string, value: string, title?: string): HTMLElement =>
  el('div', { title }, el('dt', { text: name }), el('dd', { text: value, testid: `fact-${id}` }));

/** What the model is: name, family, size, the options that are not in the file, and what to know before trusting the numbers. */
export function overview(model: ModelSummary, actions: readonly HTMLElement[]): HTMLElement {
  return el('header', { class: 'page-head', testid: 'overview' },
    el('div', { class: 'title-row' },
      el('h1', { text: model.name, title: model.path }), el('span', { class: 'badge', text: model.family, testid: 'family' }),
      el('span', { class: 'grow' }), ...actions),
    el('dl', { class: 'facts' },
      fact('parameters', t('Parameters'), count(model.parameters)), fact('size', t('Size'), bytes(model.bytes)), fact('sites', t('Sites'), count(model.sites.length)),
      fact('tensors', t('Tensors'), count(model.tensors.length)), fact('max-length', t('Max length'), count(model.maxLength)), fact('vocabulary', t('Vocabulary'), count(model.vocabularySize)),
      ...model.options.map(option => fact(option.name.toLowerCase().replace(/ /g, '-'), option.name, `${option.value} (${option.source})`, t('{0} is not in the model file: its value comes from {1}', option.name, option.source)))),
    model.notes.length > 0 ? el('div', { class: 'notes', testid: 'notes' }, ...model.notes.map(note => el('p', { text: note }))) : null);
}
