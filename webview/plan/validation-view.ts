import type { DataFile, JobState, MaskSource, ModelSummary, ReportFormat, SitePlan, ValidationOutcome, ValidationRun } from '../../extension/core/protocol/webview';
import { el, replaceChildren, uniqueId } from '../ui/dom';
import { numberInput } from '../ui/fields';
import { count, duration } from '../ui/format';
import { failureMessage, message } from '../ui/message';
import { button } from '../ui/toolkit';
import { DataPicker } from './data-picker';
import { JobProgress } from './job-progress';
import { qualityTable, runFacts, siteTable, verdictCard } from './report-tables';
import { runsTable } from './runs-table';
import { t } from '../ui/l10n';
import { translated } from '../ui/sentences';

export interface ValidationHost {
  readonly validate: (length: number | undefined) => void;
  readonly cancel: () => void;
  readonly chooseData: () => void;
  readonly clearData: () => void;
  readonly showLog: () => void;
  readonly saveReport: (run: string, format: ReportFormat) => void;
  readonly removeRun: (run: string) => void;
  readonly useMasks: (from: MaskSource, newPlan: boolean) => void;
}

const FORMATS: readonly (readonly [ReportFormat, string])[] = [['json', 'JSON'], ['csv', 'CSV'], ['markdown', 'Markdown']];

/** Runs the real kernels on the plan, shows how much faster and how much worse, and keeps the runs for comparison. */
export class ValidationView {
  readonly element: HTMLElement;
  private readonly run;
  private readonly data: DataPicker;
  private readonly length: HTMLInputElement;
  private readonly progress: JobProgress;
  private readonly outcome = el('div', { class: 'result' });
  private readonly result = el('div', { class: 'result', testid: 'validation-result' });
  private readonly kept = el('div', { class: 'result' });
  private sites = '';
  private job: JobState<ValidationOutcome> = { state: 'idle' };
  private runs: readonly ValidationRun[] = [];
  private shown?: string;
  private enabled = false;

  constructor(private readonly host: ValidationHost) {
    const id = uniqueId('length');
    this.length = numberInput({ testid: 'validation-length', min: 2, max: 2 ** 24 }, id);
    this.length.placeholder = t('default');
    this.run = button(t('Validate'), () => host.validate(this.length.value === '' ? undefined : Number(this.length.value)), { primary: true, testid: 'validate' });
    this.data = new DataPicker('', t('none: speed and filter errors only'), host.chooseData, host.clearData);
    this.progress = new JobProgress(t('Validation'), 'validation', host.cancel);
    this.element = el('div', { class: 'job-view' },
      el('div', { class: 'row' },
        this.data.element, el('label', { class: 'muted', text: t('Length'), set: { for: id } }), this.length, el('span', { class: 'grow' }), this.run),
      this.progress.element, this.outcome, this.result, this.kept);
  }

  setModel(model: ModelSummary): void {
    this.length.placeholder = count(model.defaultLength);
    this.length.title = t('Tokens per window; {0} when left empty', count(model.defaultLength));
  }

  setData(data: DataFile | null): void {
    this.data.set(data);
  }

  /** What the plan masks now: figures of another state of the plan are marked. */
  setSites(sites: readonly SitePlan[]): void {
    this.sites = JSON.stringify(sites);
    this.showRun();
  }

  setEnabled(enabled: boolean): void {
    this.enabled = enabled;
    this.run.disabled = !enabled || this.job.state === 'running';
  }

  setRuns(runs: readonly ValidationRun[]): void {
    this.runs = runs;
    if (!runs.some(run => run.id === this.shown)) this.shown = runs[0]?.id;
    this.showRun();
  }

  show(job: JobState<ValidationOutcome>): void {
    this.job = job;
    this.setEnabled(this.enabled);
    this.progress.show(job);
    if (job.state === 'done') this.shown = job.result.run;
    replaceChildren(this.outcome,
      job.state === 'failed' ? failureMessage(job.failure, [
        { label: t('Retry'), testid: 'validation-retry', run: () => this.run.click() }, { label: t('Show Log'), run: this.host.showLog },
      ], 'validation-failure') : null,
      job.state === 'done' ? el('p', { class: 'only-spoken', text: t('Validation done in {0}.', duration(job.seconds)), role: 'status' }) : null);
    this.showRun();
  }

  private showRun(): void {
    const run = this.runs.find(candidate => candidate.id === this.shown);
    if (!run) {
      replaceChildren(this.result, this.job.state === 'idle'
        ? message('info', t('Validate runs the native kernels, dense against masked, in one run: time beside error for every site, and the model’s perplexity when there is data.')) : null);
      replaceChildren(this.kept);
      return;
    }
    const { report } = run;
    const quality = qualityTable(report);
    const stale = JSON.stringify(run.sites) !== this.sites;
    replaceChildren(this.result,
      stale ? message('warning', t('These figures are of another state of the plan.'), t('It masked: {0}.', run.masks), [{ label: t('Validate Again'), run: () => this.run.click() }, { label: t('Restore Its Masks'), run: () => this.host.useMasks({ kind: 'run', run: run.id }, false) }], 'validation-stale') : null,
      verdictCard(report.verdict),
      quality ? el('h2', { text: t('Model') }) : null, quality,
      el('h2', { text: t('Sites') }), report.sites.length > 0 ? siteTable(report.sites) : el('p', { class: 'muted', text: t('The plan masks no site.') }),
      report.findings.length > 0 ? el('h2', { text: t('Findings') }) : null,
      report.findings.length > 0 ? el('ul', { class: 'findings', testid: 'findings' }, ...report.findings.map(finding => el('li', { text: translated(finding) }))) : null,
      runFacts(report),
      el('div', { class: 'row' }, el('span', { class: 'muted', text: t('Save the report as') }),
        ...FORMATS.map(([format, label]) => button(`${label} …`, () => this.host.saveReport(run.id, format), { testid: `save-${format}` }))));
    replaceChildren(this.kept, ...(this.runs.length > 1 ? [
      el('h2', { text: t('Kept runs') }),
      runsTable(this.runs, run.id, id => { this.shown = id; this.showRun(); }, this.host.removeRun),
    ] : []));
  }
}
