import type { DataFile, JobState, MaskSource, SearchChoice, SearchResult, SearchSoFar, SearchTry } from '../../extension/core/protocol/webview';
import { el, replaceChildren, uniqueId } from '../ui/dom';
import { numberInput } from '../ui/fields';
import { duration, speedup } from '../ui/format';
import { failureMessage, message } from '../ui/message';
import { table } from '../ui/table';
import { button } from '../ui/toolkit';
import { DataPicker } from './data-picker';
import { JobProgress } from './job-progress';
import { qualityTable, runFacts, siteTable, verdictCard } from './report-tables';
import { t } from '../ui/l10n';
import { translated } from '../ui/sentences';

export interface SearchHost {
  readonly search: (choice: SearchChoice) => void;
  readonly cancel: () => void;
  readonly chooseData: () => void;
  readonly showLog: () => void;
  readonly useMasks: (from: MaskSource, newPlan: boolean) => void;
}

const PHASES: Record<SearchTry['phase'], string> = { sensitivity: t('site alone'), greedy: t('first plan'), refine: t('refined'), check: t('on all data') };

/** "At most 1% worse perplexity": the fastest masks within a budget, what was tried on the way, and the validated plan. */
export class SearchView {
  readonly element: HTMLElement;
  private readonly data: DataPicker;
  private readonly budget: HTMLInputElement;
  private readonly windows: HTMLInputElement;
  private readonly run;
  private readonly progress: JobProgress;
  private readonly result = el('div', { class: 'result', testid: 'search-result' });
  private readonly tried = el('div', { class: 'result' });
  private job: JobState<SearchResult> = { state: 'idle' };
  private enabled = false;

  constructor(private readonly host: SearchHost) {
    this.data = new DataPicker('search-', t('none: choose a file to measure quality on'), host.chooseData);
    const [budgetId, windowsId] = [uniqueId('budget'), uniqueId('windows')];
    this.budget = numberInput({ testid: 'search-budget', min: 0.01, max: 100, step: 0.01 }, budgetId);
    this.budget.value = '1';
    this.windows = numberInput({ testid: 'search-windows', min: 1, max: 100_000 }, windowsId);
    this.windows.title = t('Windows that the search runs; what it finds is checked on all of the data');
    this.run = button(t('Find a Mask'), () => this.start(), { primary: true, testid: 'search' });
    this.progress = new JobProgress(t('Search'), 'search', host.cancel);
    this.element = el('div', { class: 'job-view' },
      el('div', { class: 'row' },
        el('label', { text: t('Perplexity may rise by at most'), set: { for: budgetId } }), this.budget, el('span', { text: '%' }),
        this.data.element, el('label', { class: 'muted', text: t('Windows'), set: { for: windowsId } }), this.windows, el('span', { class: 'grow' }), this.run),
      this.progress.element, this.result, this.tried);
  }

  setWindows(windows: number): void {
    this.windows.value = String(windows);
  }

  setData(data: DataFile | null): void {
    this.data.set(data);
  }

  setEnabled(enabled: boolean): void {
    this.enabled = enabled;
    this.run.disabled = !enabled || this.job.state === 'running';
  }

  show(job: JobState<SearchResult>): void {
    this.job = job;
    this.setEnabled(this.enabled);
    this.progress.show(job);
    if (job.state === 'idle') {
      replaceChildren(this.result, message('info', t('Give a budget, and the search tries cuts and frequency masks on every site alone, spends the budget where it saves the most time, refines, and validates what it found on all of the data. Figures are of the worse of the masked and the re-causalised model.')));
    } else if (job.state === 'failed') {
      replaceChildren(this.result, failureMessage(job.failure, [
        { label: t('Retry'), testid: 'search-retry', run: () => this.start() }, { label: t('Show Log'), run: this.host.showLog },
      ], 'search-failure'));
    } else if (job.state === 'running') {
      replaceChildren(this.result);
      this.showTried((job.progress.partial as SearchSoFar | undefined)?.tried ?? []);
    } else {
      this.showFound(job.result, job.seconds);
      this.showTried(job.result.tried);
    }
  }

  private start(): void {
    const budget = Number(this.budget.value);
    if (!(budget > 0)) {
      replaceChildren(this.result, message('error', t('The budget has to be a percentage above 0.'), undefined, [], 'search-failure'));
      return;
    }
    this.host.search({ budget, windows: this.windows.value === '' ? undefined : Number(this.windows.value) });
  }

  private showFound({ verdict, plan, report }: SearchResult, seconds: number): void {
    const quality = qualityTable(report);
    replaceChildren(this.result,
      message('info', translated(verdict), t('Found and validated in {0}.', duration(seconds)), plan.sites.length === 0 ? [] : [
        { label: t('Use in This Plan'), testid: 'search-use', run: () => this.host.useMasks({ kind: 'found' }, false) },
        { label: t('Open as New Plan'), testid: 'search-open', run: () => this.host.useMasks({ kind: 'found' }, true) },
      ], 'search-found'),
      verdictCard(report.verdict), quality, report.sites.length > 0 ? siteTable(report.sites) : null, runFacts(report));
  }

  private showTried(tried: readonly SearchTry[]): void {
    if (tried.length === 0) return replaceChildren(this.tried);
    const rows = tried.map((entry, i) => [
      String(i + 1), PHASES[entry.phase], entry.masks.map(({ site, mask }) => `${site}: ${mask}`).join('; '),
      `${entry.change < 0 ? '−' : '+'}${Math.abs(entry.change).toFixed(2)}%`, speedup(entry.speedup), entry.accepted ? t('✓ within budget') : t('✕ too much'),
    ]);
    replaceChildren(this.tried, el('h2', { text: t('Tried: {0}', tried.length) }), table([
      { title: t('No.') }, { title: t('Step') }, { title: t('Masks'), long: true }, { title: t('Perplexity'), numeric: true, help: t('Rise against the dense model') },
      { title: t('Speed-up'), numeric: true, help: t('Of all long convolutions') }, { title: t('Outcome') },
    ], rows, { testid: 'search-tried', caption: t('Masks that were tried') }));
  }
}
