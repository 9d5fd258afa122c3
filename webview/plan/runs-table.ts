import type { ValidationRun } from '../../extension/core/protocol/webview';
import { el } from '../ui/dom';
import { count, localTime, percent, significant, speedup } from '../ui/format';
import { t } from '../ui/l10n';

/** All kept runs in one table, to be compared column by column; one of them is shown above it. */
export function runsTable(runs: readonly ValidationRun[], shown: string, onShow: (id: string) => void, onRemove: (id: string) => void): HTMLElement {
  const head = [t('Run'), t('Masks'), t('Convolutions'), t('Whole model'), t('Perplexity'), t('Re-causalised'), t('Worst leak'), t('Data'), t('Forget')].map((title, i) =>
    el('th', { text: title, class: i >= 2 && i <= 6 ? 'numeric' : undefined, set: { scope: 'col' } }));
  const body = runs.map(run => {
    const { sites, wholeModel, masked, recausalised, data, created, windows, length } = run.report;
    const show = el('button', { class: 'link', text: localTime(created), testid: 'run-show', title: t('Show this run') });
    show.addEventListener('click', () => onShow(run.id));
    const remove = el('button', { class: 'plot-button', text: '✕', label: t('Forget the run of {0}', localTime(created)), title: t('Forget this run'), testid: 'run-remove' });
    remove.addEventListener('click', () => onRemove(run.id));
    const sum = (pick: (site: (typeof sites)[number]) => number): number => sites.reduce((total, site) => total + pick(site), 0);
    const cells = [
      sites.length > 0 ? speedup(sum(site => site.dense.median_ms) / sum(site => site.masked.median_ms)) : '–',
      wholeModel ? speedup(wholeModel.dense.median_ms / wholeModel.masked.median_ms) : '–',
      masked ? significant(masked.perplexity, 5) : '–', recausalised ? significant(recausalised.perplexity, 5) : '–',
      sites.length > 0 ? percent(Math.max(...sites.map(site => site.leak))) : '–',
    ];
    const row = el('tr', { testid: 'run-row' }, el('th', { set: { scope: 'row' } }, show), el('td', { class: 'wide', text: run.masks, title: run.masks }),
      ...cells.map(text => el('td', { class: 'numeric', text })), el('td', { text: data ? `${data.path.split(/[\\/]/).at(-1)}: ${count(windows)} × ${count(length)}` : t('none') }), el('td', {}, remove));
    if (run.id === shown) row.setAttribute('aria-current', 'true');
    return row;
  });
  return el('div', { class: 'table-frame', tabIndex: 0, role: 'region', label: t('Kept runs') },
    el('table', { testid: 'runs-table' }, el('caption', { class: 'only-spoken', text: t('Kept runs') }), el('thead', {}, el('tr', {}, ...head)), el('tbody', {}, ...body)));
}

