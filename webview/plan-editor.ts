import type { DataFile, MaskSource, ModelState, PlanEditorApi, PlanEditorEvents, PlanPageState, PlanState, PlanView } from '../extension/core/protocol/webview';
import { ExportView } from './plan/export-view';
import { MasksView } from './plan/masks-view';
import type { MasksViewState } from './plan/masks-view';
import { SearchView } from './plan/search-view';
import { SweepView } from './plan/sweep-view';
import { ValidationView } from './plan/validation-view';
import { sourceOf } from './plots/filter-source';
import './styles/base.css';
import './styles/plots.css';
import './styles/plan-editor.css';
import { el, replaceChildren } from './ui/dom';
import { loading } from './ui/loading';
import { failureMessage, message } from './ui/message';
import { failureOf, PageClient } from './ui/page-client';
import { Tabs } from './ui/tabs';
import { button } from './ui/toolkit';
import { t } from './ui/l10n';

/**
 * The plan editor's page.
 *
 * data-testid: plan-name, family, plan-invalid, model-failure, model-warning, request-failure, notice, loading, open-model, open-as-text,
 * tab-masks, tab-validation, tab-sweep, tab-search, tab-export.
 * Masks: site-list, site-list-item, clear-all, site-title, mask-summary, copy-to-all, clear-site, kept-bins, kept-taps, filter-error, leak,
 * predicted-speedup, predicted-memory, kernel, advice, channel (+ -slider), range, range-custom, range-first, range-last, range-use, time-plot, negative-lags,
 * cut-handle, partial-on, partial-taps (+ -slider), partial-taper (+ -slider), frequency-plot (+ -log, -db, -lasso), low-edge, high-edge, pattern,
 * lowpass-bins, bandpass-from, bandpass-to, block-N, comb-rows (each + -slider), cell-count, keep-all-cells, cell-map, symmetry, grid.
 * Validation: data-name, choose-data, clear-data, validation-length, validate, validation-progress, validation-time-left, validation-cancel,
 * validation-failure, validation-retry, validation-stale, verdict, quality-table, site-table, findings, run-facts, save-json, save-csv,
 * save-markdown, runs-table, run-row, run-show, run-remove.
 * Sweep: sweep-data-name, sweep-choose-data, sweep-windows, sweep-partial, sweep-lowpass, sweep-comb, sweep-blocks, sweep-combine, sweep-each-site,
 * sweep, sweep-progress, sweep-cancel, sweep-failure, sweep-retry, sweep-done, pareto-plot, pareto-point, pareto-readout, sweep-table, sweep-row,
 * sweep-chosen, sweep-use, sweep-open.
 * Search: search-budget, search-windows, search-data-name, search-choose-data, search, search-progress, search-cancel, search-failure, search-retry,
 * search-found, search-use, search-open, search-tried.
 * Export: export-format, export-form, export-lowering, export-as-drawn, export-recausalised, export, export-progress, export-cancel,
 * export-failure, export-retry, export-done, export-notes, reveal.
 * `body[data-ready]` is set once plan and model are shown; `body[data-revision]` is the revision of the plan on the page.
 */
interface State { view: PlanView; masks: MasksViewState }

const client = new PageClient<PlanEditorApi, PlanEditorEvents, State>();
const page = el('main', { class: 'page' });
document.body.append(page);

const planName = el('h1', { testid: 'plan-name' });
const family = el('span', { class: 'badge', testid: 'family', hidden: true });
const modelName = el('span', { class: 'muted model-name', testid: 'plan-model' });
const planProblem = el('div', { class: 'problem' });
const modelProblem = el('div', { class: 'problem' });
const requestProblem = el('div', { class: 'problem' });
let planKnown = false;
let planValid = false;
let modelReady = false;

const dismiss = { label: t('Dismiss'), run: () => replaceChildren(requestProblem) };
const showLog = (): void => void client.call('showLog', {});
const onError = (error: unknown): void => {
  const failure = failureOf(error);
  replaceChildren(requestProblem, failureMessage(failure, [
    ...(failure.kind === 'crashed' ? [{ label: t('Retry'), testid: 'request-retry', run: () => { replaceChildren(requestProblem); void client.call('retryModel', {}).catch(onError); } }] : []), dismiss,
  ], 'request-failure'));
};

const masks = new MasksView({
  saveImage: image => void client.call('saveImage', image).catch(onError),
  source: sourceOf((method, params) => client.call(method, params as never) as never),
  edit: edit => client.call('edit', edit),
  preview: params => client.call('preview', params),
  measure: params => client.call('measure', params),
  onState: state => client.saveState({ masks: state }),
  onError,
  say: (sentence, hint) => replaceChildren(requestProblem, message('info', sentence, hint, [dismiss], 'notice')),
}, client.state.masks ?? { channel: 0, negativeLags: false, axes: { logarithmic: false, decibels: true } });
const chooseData = (): void => void client.call('chooseData', {}).catch(onError);
const useMasks = (from: MaskSource, newPlan: boolean): void => void client.call('useMasks', { from, newPlan }).catch(onError);
const validation = new ValidationView({
  validate: length => void client.call('validate', { length }).catch(onError),
  cancel: () => void client.call('cancel', { job: 'validation' }).catch(onError),
  chooseData,
  clearData: () => void client.call('clearData', {}).catch(onError),
  showLog,
  saveReport: (run, format) => void client.call('saveReport', { run, format }).catch(onError),
  removeRun: run => void client.call('removeRun', { run }).catch(onError),
  useMasks,
});
const sweep = new SweepView({
  sweep: choice => void client.call('sweep', choice).catch(onError),
  cancel: () => void client.call('cancel', { job: 'sweep' }).catch(onError),
  chooseData, showLog, useMasks,
});
const search = new SearchView({
  search: choice => void client.call('search', choice).catch(onError),
  cancel: () => void client.call('cancel', { job: 'search' }).catch(onError),
  chooseData, showLog, useMasks,
});
const exportView = new ExportView({
  exportPlan: choice => void client.call('exportPlan', choice).catch(onError),
  cancel: () => void client.call('cancel', { job: 'export' }).catch(onError),
  reveal: path => void client.call('reveal', { path }).catch(onError),
  showLog,
});
const tabs = new Tabs<PlanView>([
  { name: 'masks', label: t('Masks'), content: masks.element },
  { name: 'validation', label: t('Validate'), content: validation.element },
  { name: 'sweep', label: t('Sweep'), content: sweep.element },
  { name: 'search', label: t('Find a Mask'), content: search.element },
  { name: 'export', label: t('Export'), content: exportView.element },
], t('Views of the plan'), view => client.saveState({ view }));

client.on('plan', showPlan);
client.on('model', showModel);
client.on('data', setData);
client.on('validation', job => validation.show(job));
client.on('runs', runs => validation.setRuns(runs));
client.on('sweep', job => sweep.show(job));
client.on('search', job => search.show(job));
client.on('export', job => exportView.show(job));
client.on('show', view => tabs.show(view));
replaceChildren(page, el('div', { class: 'centre' }, loading(t('Reading the plan …'))));
client.call('load', {}).then(showPage, error => replaceChildren(page, el('div', { class: 'centre' }, failureMessage(failureOf(error), [{ label: t('Show Log'), run: showLog }]))));

function showPage(state: PlanPageState): void {
  planName.textContent = state.fileName;
  replaceChildren(page,
    el('header', { class: 'page-head' }, el('div', { class: 'title-row' }, planName, family, modelName, el('span', { class: 'grow' }),
      el('div', { class: 'buttons' },
        button(t('Open Model'), () => void client.call('openModel', {}).catch(onError), { testid: 'open-model', title: t('Open the model in the viewer') }),
        button(t('Open as Text'), () => void client.call('openAsText', {}), { testid: 'open-as-text', title: t('Edit the plan as JSON') })))),
    planProblem, modelProblem, requestProblem, tabs.bar, tabs.body);
  tabs.show(client.state.view ?? 'masks');
  setData(state.data);
  validation.setRuns(state.runs);
  validation.show(state.validation);
  for (const view of [sweep, search]) view.setWindows(state.searchWindows);
  sweep.show(state.sweep);
  search.show(state.search);
  exportView.show(state.export);
  // The plots measure themselves: they have to be on the page first.
  requestAnimationFrame(() => {
    showPlan(state.plan);
    showModel(state.model);
  });
}

function setData(data: DataFile | null): void {
  for (const view of [validation, sweep, search]) view.setData(data);
}

function showPlan({ plan, invalid, revision }: PlanState): void {
  planKnown = plan !== null;
  planValid = !invalid && planKnown;
  replaceChildren(planProblem, invalid ? message('error', invalid.message,
    `${invalid.hint ? `${invalid.hint} ` : ''}${plan ? t('Until then the page shows the last good state and changes nothing.') : ''}`,
    [{ label: t('Open as Text'), run: () => void client.call('openAsText', {}) }], 'plan-invalid') : null);
  if (plan) {
    modelName.textContent = plan.model.path.split('/').at(-1)!;
    modelName.title = plan.model.path;
    masks.setPlan(plan, !planValid);
    validation.setSites(plan.sites);
  }
  document.body.dataset.revision = String(revision);
  arrange();
}

function showModel(model: ModelState): void {
  modelReady = model.state === 'ready';
  family.hidden = !modelReady;
  replaceChildren(modelProblem,
    model.state === 'loading' ? loading(t('Reading the model …')) : null,
    model.state === 'failed' ? failureMessage(model.failure, [
      { label: t('Retry'), testid: 'model-retry', run: () => void client.call('retryModel', {}) }, { label: t('Open as Text'), run: () => void client.call('openAsText', {}) },
    ], 'model-failure') : null,
    model.state === 'ready' && model.warning ? message('warning', model.warning, undefined, [], 'model-warning') : null);
  if (model.state === 'ready') {
    family.textContent = model.summary.family;
    replaceChildren(requestProblem);
    // The plots measure themselves: they have to be visible before they ask for data.
    arrange();
    masks.setModel(model.summary);
    validation.setModel(model.summary);
    sweep.setModel(model.summary);
    exportView.setModel(model.summary);
  }
  arrange();
}

/** The views show once there is something to show, and run jobs only on a valid plan of an open model. */
function arrange(): void {
  tabs.bar.hidden = tabs.body.hidden = !modelReady || !planKnown;
  // Without a plan no model is being read.
  modelProblem.hidden = !planKnown;
  for (const view of [validation, sweep, search, exportView]) view.setEnabled(planValid && modelReady);
  if (planValid && modelReady) document.body.dataset.ready = 'true';
  else delete document.body.dataset.ready;
}
