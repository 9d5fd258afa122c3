import type { DataFile, JobState, ModelSummary, ValidationOutcome } from '../../extension/core/protocol/webview';
import { el, replaceChildren, uniqueId } from '../ui/dom';
import { numberInput } from '../ui/fields';
import { count, duration } from '../ui/format';
import { failureMessage, message } from '../ui/message';
import { button } from '../ui/toolkit';
import { JobProgress } from './job-progress';
import { qualityTable, runFacts, siteTable } from './report-tables';

export interface ValidationHost {
  readonly validate: (length: number | undefined) => void;
  readonly cancel: () => void;
  readonly chooseData: () => void;
  readonly clearData: () => void;
  readonly showLog: () => void;
}

/** Runs the real kernels on the plan, and shows how much faster and how much worse. */
export class ValidationView {
  readonly element: HTMLElement;
  private readonly run;
  private readonly dataName = el('span', { class: 'file-name', testid: 'data-name' });
  private readonly clear: HTMLElement;
  private readonly length: HTMLInputElement;
  private readonly progress: JobProgress;
  private readonly result = el('div', { class: 'result', testid: 'validation-result' });
  private revision = 0;
  private job: JobState<ValidationOutcome> = { state: 'idle' };

  constructor(private readonly host: ValidationHost) {
    const id = uniqueId('length');
    this.length = numberInput({ testid: 'validation-length', min: 2, max: 2 ** 24 }, id);
    this.length.placeholder = 'default';
    this.run = button('Validate', () => host.validate(this.length.value === '' ? undefined : Number(this.length.value)), { primary: true, testid: 'validate' });
    this.clear = button('No Data', host.clearData, { testid: 'clear-data' });
    this.progress = new JobProgress('Validation', 'validation', host.cancel);
    this.element = el('div', { class: 'job-view' },
      el('div', { class: 'row' },
        el('span', { class: 'muted', text: 'Data' }), this.dataName, button('Choose …', host.chooseData, { testid: 'choose-data' }), this.clear,
        el('label', { class: 'muted', text: 'Length', set: { for: id } }), this.length, el('span', { class: 'grow' }), this.run),
      this.progress.element, this.result);
  }

  setModel(model: ModelSummary): void {
    this.length.placeholder = count(model.defaultLength);
    this.length.title = `Tokens per window; ${count(model.defaultLength)} when left empty`;
  }

  setData(data: DataFile | null): void {
    this.dataName.textContent = data?.name ?? 'none: speed and filter errors only';
    this.dataName.title = data?.path ?? 'FASTA, text or safetensors give perplexity too';
    this.clear.hidden = data === null;
  }

  setRevision(revision: number): void {
    this.revision = revision;
    if (this.job.state === 'done') this.show(this.job);
  }

  setEnabled(enabled: boolean): void {
    this.run.disabled = !enabled || this.job.state === 'running';
  }

  show(job: JobState<ValidationOutcome>): void {
    this.job = job;
    this.run.disabled = job.state === 'running';
    this.progress.show(job);
    if (job.state === 'idle') {
      replaceChildren(this.result, message('info', 'Validate runs the native kernels, dense against masked, in one run: time beside error for every site, and the model’s perplexity when there is data.'));
    } else if (job.state === 'running') {
      replaceChildren(this.result);
    } else if (job.state === 'failed') {
      replaceChildren(this.result, failureMessage(job.failure, [
        { label: 'Retry', testid: 'validation-retry', run: () => this.run.click() }, { label: 'Show Log', run: this.host.showLog },
      ], 'validation-failure'));
    } else {
      const { report, revision } = job.result;
      const quality = qualityTable(report);
      replaceChildren(this.result,
        revision !== this.revision ? message('warning', 'These figures are of an earlier state of the plan.', undefined, [{ label: 'Validate Again', run: () => this.run.click() }], 'validation-stale') : null,
        quality ? el('h3', { text: 'Model' }) : null, quality,
        el('h3', { text: 'Sites' }), report.sites.length > 0 ? siteTable(report.sites) : el('p', { class: 'muted', text: 'The plan masks no site.' }),
        report.findings.length > 0 ? el('h3', { text: 'Findings' }) : null,
        report.findings.length > 0 ? el('ul', { class: 'findings', testid: 'findings' }, ...report.findings.map(finding => el('li', { text: finding }))) : null,
        runFacts(report), el('p', { class: 'muted', text: `Took ${duration(job.seconds)}.` }));
    }
  }
}
