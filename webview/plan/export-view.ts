import type { ExportChoice, ExportResult, JobState, ModelSummary } from '../../extension/core/protocol/webview';
import { el, replaceChildren, uniqueId } from '../ui/dom';
import { ChoiceField } from '../ui/fields';
import { bytes, duration, significant } from '../ui/format';
import { failureMessage, message } from '../ui/message';
import { button } from '../ui/toolkit';
import { JobProgress } from './job-progress';
import { t } from '../ui/l10n';

type Form = NonNullable<ExportChoice['form']>;
type Lowering = NonNullable<ExportChoice['lowering']>;

const FORMS: Record<Form, string> = {
  exact: t('Exact: the filter tensors themselves are rewritten'),
  baked: t('Baked: masked filters as explicit tensors'),
  sidecar: t('Sidecar: original weights, masks and plan beside them'),
  refit: t('Refit: generating weights fitted to the masked filter'),
};
const LOWERINGS: Record<Lowering, string> = {
  dft: t('DFT nodes (fast for long filters)'),
  conv: t('Conv nodes (run everywhere)'),
  function: t('LongConv function nodes (domain longconv.surgeon)'),
};

export interface ExportHost {
  readonly exportPlan: (choice: ExportChoice) => void;
  readonly cancel: () => void;
  readonly reveal: (path: string) => void;
  readonly showLog: () => void;
}

/** Chooses what is written, says what it costs, and shows what was written. */
export class ExportView {
  readonly element: HTMLElement;
  private readonly format: ChoiceField<ExportChoice['format']>;
  private readonly form: ChoiceField<Form>;
  private readonly lowering: ChoiceField<Lowering>;
  private readonly asDrawn: HTMLInputElement;
  private readonly recausalised: HTMLInputElement;
  private readonly run;
  private readonly progress: JobProgress;
  private readonly result = el('div', { class: 'result', testid: 'export-result' });
  private job: JobState<ExportResult> = { state: 'idle' };
  private enabled = false;

  constructor(private readonly host: ExportHost) {
    this.format = new ChoiceField<ExportChoice['format']>({
      label: t('Format'), testid: 'export-format', onChange: () => this.arrange(),
      choices: [{ value: 'safetensors', label: 'safetensors' }, { value: 'onnx', label: 'ONNX' }],
    });
    this.form = new ChoiceField<Form>({ label: t('How the masked filters are stored'), testid: 'export-form', choices: [], onChange: () => this.arrange() });
    this.lowering = new ChoiceField<Lowering>({
      label: t('Long convolutions become'), testid: 'export-lowering', onChange: () => undefined,
      choices: (['dft', 'conv', 'function'] as const).map(value => ({ value, label: LOWERINGS[value] })),
    });
    const name = uniqueId('causality');
    const radio = (testid: string): HTMLInputElement => el('input', { testid, set: { type: 'radio', name } });
    this.asDrawn = radio('export-as-drawn');
    this.recausalised = radio('export-recausalised');
    this.asDrawn.checked = true;
    this.run = button(t('Export …'), () => this.start(), { primary: true, testid: 'export' });
    this.progress = new JobProgress(t('Export'), 'export', host.cancel);
    const option = (input: HTMLInputElement, title: string, cost: string): HTMLElement =>
      el('label', { class: 'option' }, input, el('span', {}, el('span', { text: title }), el('span', { class: 'muted cost', text: cost })));
    this.element = el('div', { class: 'job-view' },
      el('div', { class: 'export-fields' }, this.format.element, this.form.element, this.lowering.element),
      el('fieldset', { class: 'options' }, el('legend', { class: 'muted', text: t('Which filters') }),
        option(this.asDrawn, t('As drawn'), t('Frequency-sparse: keeps the speed of a frequency mask. Its negative lags let the model see the future of its input, so its perplexity can look better than it is.')),
        option(this.recausalised, t('Re-causalised'), t('Negative lags are zeroed: an honest causal filter, but dense in frequency, so a frequency mask saves no time. A cut in time costs nothing.'))),
      el('div', { class: 'row' }, el('span', { class: 'muted', text: t('The model file is never changed: new files are written, read again and run again before the export counts as done.') }), el('span', { class: 'grow' }), this.run),
      this.progress.element, this.result);
    this.arrange();
  }

  setModel(model: ModelSummary): void {
    const offered = new Set(model.sites.flatMap(site => site.writeBack));
    this.form.setChoices((Object.keys(FORMS) as Form[]).filter(form => offered.has(form)).map(value => ({ value, label: FORMS[value] })));
    this.arrange();
  }

  setEnabled(enabled: boolean): void {
    this.enabled = enabled;
    this.run.disabled = !enabled || this.job.state === 'running';
  }

  show(job: JobState<ExportResult>): void {
    this.job = job;
    this.setEnabled(this.enabled);
    this.progress.show(job);
    if (job.state === 'failed') {
      replaceChildren(this.result, failureMessage(job.failure, [
        { label: t('Retry'), testid: 'export-retry', run: () => this.start() }, { label: t('Show Log'), run: this.host.showLog },
      ], 'export-failure'));
    } else if (job.state === 'done') {
      const { path, bytes: size, notes } = job.result;
      replaceChildren(this.result,
        message('info', t('Exported {0} ({1}) in {2}; {3}.', path.split(/[\\/]/).at(-1)!, bytes(size), duration(job.seconds), verdict(job.result)), path, [{ label: t('Show in Explorer'), testid: 'reveal', run: () => this.host.reveal(path) }], 'export-done'),
        notes.length > 0 ? el('ul', { class: 'findings', testid: 'export-notes' }, ...notes.map(note => el('li', { text: note }))) : null);
    } else {
      replaceChildren(this.result);
    }
  }

  private arrange(): void {
    const onnx = this.format.value === 'onnx';
    this.form.element.hidden = onnx;
    this.lowering.element.hidden = !onnx;
    // A sidecar keeps the original weights beside the masks: there is nothing to re-causalise in it.
    const sidecar = !onnx && this.form.value === 'sidecar';
    this.recausalised.disabled = sidecar;
    if (sidecar) this.asDrawn.checked = true;
  }

  private start(): void {
    const choice: ExportChoice = { format: this.format.value, recausalise: this.recausalised.checked };
    this.host.exportPlan(choice.format === 'onnx' ? { ...choice, lowering: this.lowering.value } : { ...choice, form: this.form.value });
  }
}

/** How the written file was checked, and what came of it. */
function verdict({ verified, compared }: ExportResult): string {
  const difference = significant(verified, 2);
  switch (compared) {
    case 'filters':
      return verified === 0
        ? t('re-read: filters identical; the model was not run again')
        : t('re-read: filters differ by {0} (relative); the model was not run again', difference);
    case 'convolutions':
      return verified === 0
        ? t('re-read: the changed convolutions give identical results; all else is byte-identical')
        : t('re-read: the changed convolutions differ by {0} (relative); all else is byte-identical', difference);
    default:
      return verified === 0 ? t('re-read and re-run: bit-identical to the validated model') : t('re-read and re-run: logits differ by {0} (relative)', difference);
  }
}
