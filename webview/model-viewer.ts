import type { ModelSummary, ModelViewerApi, ModelViewerEvents, ViewerContent } from '../extension/core/protocol/webview';
import { sourceOf } from './plots/filter-source';
import type { PlotContext } from './plots/filter-source';
import './styles/base.css';
import './styles/plots.css';
import './styles/model-viewer.css';
import { el, replaceChildren } from './ui/dom';
import { count, plural } from './ui/format';
import { loading } from './ui/loading';
import { failureMessage, message } from './ui/message';
import { failureOf, PageClient } from './ui/page-client';
import { SideList } from './ui/side-list';
import { directionName } from './ui/site-words';
import { Tabs } from './ui/tabs';
import { button } from './ui/toolkit';
import { fileOverview, overview } from './viewer/overview';
import { OverviewStrip } from './viewer/overview-strip';
import { SiteView } from './viewer/site-view';
import type { SiteViewState } from './viewer/site-view';
import { TensorList } from './viewer/tensor-list';
import { t } from './ui/l10n';

/**
 * The model viewer's page.
 *
 * data-testid: overview, family, fact-* (parameters, size, sites, tensors, max-length, vocabulary, options by name), notes, new-plan,
 * tab-overview, tab-filters, tab-tensors, overview-strip, overview-card, compare, compare-channel, site-list, site-list-item, site-title, site-facts, channel, channel-slider, time-plot, time-plot-readout,
 * frequency-plot, frequency-plot-readout, frequency-plot-log, frequency-plot-db, channel-map, cell-map (each with -readout),
 * tensor-search, tensor-count, tensor-list, loading, load-failure, request-failure. `body[data-ready]` is set once the model is shown.
 */
type ViewName = 'overview' | 'filters' | 'tensors';
interface State { view: ViewName; site: string; siteView: SiteViewState }

const client = new PageClient<ModelViewerApi, ModelViewerEvents, State>();
const page = el('main', { class: 'page' });
document.body.append(page);
client.on('reload', () => void load());
void load();

async function load(): Promise<void> {
  delete document.body.dataset.ready;
  replaceChildren(page, el('div', { class: 'centre' }, loading(t('Reading the model …'))));
  try {
    const content = await client.call('load', {});
    if (content.kind === 'model') show(content.model);
    else showTensors(content);
    document.body.dataset.ready = 'true';
  } catch (error) {
    replaceChildren(page, el('div', { class: 'centre' }, failureMessage(failureOf(error), [
      { label: t('Try Again'), testid: 'retry', run: () => void load() }, { label: t('Show Log'), run: () => void client.call('showLog', {}) },
    ], 'load-failure')));
  }
}

function showTensors({ name, bytes, tensors, why }: Extract<ViewerContent, { kind: 'tensors' }>): void {
  const list = new TensorList();
  list.setTensors(tensors);
  list.element.classList.add('grow');
  replaceChildren(page, fileOverview(name, bytes, tensors.length), el('div', { class: 'problem' }, message('info', why.message, why.hint, [], 'load-failure')), list.element);
}

function show(model: ModelSummary): void {
  const problem = el('div', { class: 'problem', set: { 'aria-live': 'assertive' } });
  const tensors = new TensorList();
  tensors.setTensors(model.tensors);
  const filters = el('div', { class: 'page-body filters' });
  const context = plotContext(problem);
  const select = fillFilters(filters, model, context);
  const strip = new OverviewStrip(context, model.sites, site => {
    tabs.show('filters');
    select(site);
    tabs.focus('filters');
  });

  const tabs = new Tabs<ViewName>([
    { name: 'overview', label: t('Overview'), content: strip.element },
    { name: 'filters', label: t('Filters ({0})', count(model.sites.length)), content: filters },
    { name: 'tensors', label: t('Tensors ({0})', count(model.tensors.length)), content: tensors.element },
  ], t('Views of the model'), view => client.saveState({ view }));
  const newPlan = button(t('New Surgery Plan'), () => void client.call('newPlan', {}), { primary: true, testid: 'new-plan', title: t('Write a plan for masking this model’s filters') });
  replaceChildren(page, overview(model, [newPlan]), problem, tabs.bar, tabs.body);
  tabs.show(client.state.view ?? (model.sites.length > 1 ? 'overview' : 'filters'));
}

function plotContext(problem: HTMLElement): PlotContext {
  const onError = (error: unknown): void => replaceChildren(problem, failureMessage(failureOf(error), [
    { label: t('Try Again'), run: () => void load() },
    { label: t('Dismiss'), run: () => replaceChildren(problem) },
  ], 'request-failure'));
  return {
    source: sourceOf((method, params) => client.call(method, params as never) as never), onError,
    saveImage: image => void client.call('saveImage', image).catch(onError),
  };
}

/** @returns what chooses a site. */
function fillFilters(body: HTMLElement, model: ModelSummary, context: PlotContext): (site: string) => void {
  const view = new SiteView(context, client.state.siteView ?? { channel: 0, axes: { logarithmic: false, decibels: true } }, siteView => client.saveState({ siteView }));
  const select = (id: string): void => {
    const site = model.sites.find(candidate => candidate.id === id) ?? model.sites[0];
    list.setCurrent(site.id);
    client.saveState({ site: site.id });
    view.show(site);
  };
  const list = new SideList(t('Sites'), 'site-list', select);
  list.setItems(model.sites.map(site => ({
    id: site.id, name: site.id, detail: `${directionName(site.direction)} · ${plural(site.channels, 'channel')} × ${count(site.taps)}${site.surgery ? ` · ${t('operated')}` : ''}`,
  })), undefined);
  body.append(list.element, view.element);
  // The plots measure themselves: they have to be on the page first.
  requestAnimationFrame(() => select(client.state.site ?? model.sites[0].id));
  return select;
}
