import type { DataFile, JobState, MaskSource, ModelSummary, SweepChoice, SweepResult, SweepRow, SweepSoFar } from '../../extension/core/protocol/webview';
import { el, replaceChildren, uniqueId } from '../ui/dom';
import { numberInput } from '../ui/fields';
import { count, duration, percent, plural, significant, speedup } from '../ui/format';
import { failureMessage, message } from '../ui/message';
import { button, checkbox } from '../ui/toolkit';
import { DataPicker } from './data-picker';
import { JobProgress } from './job-progress';
import { describeRow, lossOf, ParetoPlot } from './pareto-plot';
import { formatList, parseBlocks, parseNumbers } from './sweep-lists';
import { t } from '../ui/l10n';

export interface SweepHost {
  readonly sweep: (choice: SweepChoice) => void;
  readonly cancel: () => void;
  readonly chooseData: () => void;
  readonly showLog: () => void;
  readonly useMasks: (from: MaskSource, newPlan: boolean) => void;
}

/** Many settings at once: quality against speed, and any point opens as a plan. */
export class SweepView {
  readonly element: HTMLElement;
  private readonly data: DataPicker;
  private readonly lists: Record<'partial' | 'lowpass' | 'blocks' | 'comb', HTMLInputElement>;
  private readonly windows: HTMLInputElement;
  private readonly combine;
  private readonly eachSite;
  private readonly run;
  private readonly progress: JobProgress;
  private readonly problem = el('div', { class: 'result', set: { 'aria-live': 'polite' } });
  private readonly plot: ParetoPlot;
  private readonly chosenBox = el('div', { class: 'chosen-row', testid: 'sweep-chosen' });
  private readonly tableBox = el('div', {});
  private readonly results: HTMLElement;
  private rows: readonly SweepRow[] = [];
  private chosen?: string;
  private job: JobState<SweepResult> = { state: 'idle' };
  private enabled = false;
  private modelName = '';

  constructor(private readonly host: SweepHost) {
    this.data = new DataPicker('sweep-', t('none: choose a file to measure quality on'), host.chooseData);
    const fields: HTMLElement[] = [];
    const list = (label: string, testid: string, help: string): HTMLInputElement => {
      const id = uniqueId('list');
      const input = el('input', { class: 'search list-input', id, testid, title: help, set: { type: 'text', autocomplete: 'off', spellcheck: 'false' } });
      fields.push(el('div', { class: 'field' }, el('label', { text: label, set: { for: id } }), input));
      return input;
    };
    this.lists = {
      partial: list(t('Cuts in time (taps kept)'), 'sweep-partial', t('Whole numbers, separated by commas')),
      lowpass: list(t('Low-pass (fraction of the spectrum kept)'), 'sweep-lowpass', t('Numbers above 0 and at most 1, separated by commas')),
      comb: list(t('Comb rows (n1) kept'), 'sweep-comb', t('Whole numbers, separated by commas')),
      blocks: list(t('Block patterns (a.b.c; …)'), 'sweep-blocks', t('One count for each digit of the grid, patterns separated by semicolons')),
    };
    const windowsId = uniqueId('windows');
    this.windows = numberInput({ testid: 'sweep-windows', min: 1, max: 100_000 }, windowsId);
    this.combine = checkbox(t('Combine cuts with patterns'), false, () => undefined, { testid: 'sweep-combine' });
    this.eachSite = checkbox(t('Each site alone (sensitivity)'), false, () => undefined, { testid: 'sweep-each-site' });
    this.run = button(t('Sweep'), () => this.start(), { primary: true, testid: 'sweep' });
    this.progress = new JobProgress(t('Sweep'), 'sweep', host.cancel);
    this.plot = new ParetoPlot(row => this.choose(row.key));
    this.results = el('div', { class: 'result', hidden: true, testid: 'sweep-result' }, this.plot.element, this.chosenBox, this.tableBox);
    this.element = el('div', { class: 'job-view' },
      el('div', { class: 'row' }, this.data.element, el('label', { class: 'muted', text: t('Windows'), set: { for: windowsId } }), this.windows, el('span', { class: 'grow' }), this.run),
      el('div', { class: 'sweep-fields' }, ...fields), el('div', { class: 'row' }, this.combine, this.eachSite),
      this.progress.element, this.problem, this.results);
  }

  setModel(model: ModelSummary): void {
    if (model.name === this.modelName) return;
    this.modelName = model.name;
    const partial: number[] = [];
    for (let taps = Math.floor(model.defaultLength / 2); taps >= 8; taps = Math.floor(taps / 2)) partial.push(taps);
    this.lists.partial.value = formatList(partial.slice(0, 7));
    this.lists.lowpass.value = '0.5, 0.25, 0.125';
    const rows = model.sites[0].defaultGrid.factors[0];
    this.lists.comb.value = formatList([rows / 2, rows / 4].filter(value => value >= 1 && Number.isInteger(value)));
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

  show(job: JobState<SweepResult>): void {
    this.job = job;
    this.setEnabled(this.enabled);
    this.progress.show(job);
    if (job.state === 'running') this.setRows((job.progress.partial as SweepSoFar | undefined)?.rows ?? []);
    if (job.state === 'done') this.setRows(job.result.rows);
    const done = job.state === 'done' ? job.result : undefined;
    replaceChildren(this.problem,
      job.state === 'failed' ? failureMessage(job.failure, [
        { label: t('Go On'), testid: 'sweep-retry', run: () => this.start() }, { label: t('Show Log'), run: this.host.showLog },
      ], 'sweep-failure') : null,
      job.state === 'idle' && this.rows.length === 0
        ? message('info', t('A sweep measures quality and speed of many settings. Click a point to see its masks and to use them. A cancelled sweep goes on where it ended.')) : null,
      done ? el('p', { class: 'muted', role: 'status', testid: 'sweep-done', text: [
        t('{0} on {1} of {2} tokens', plural(done.rows.length, 'setting'), plural(done.windows, 'window'), count(done.length)),
        ...(done.resumed > 0 ? [t('{0} from an earlier, unfinished sweep', done.resumed)] : []),
        job.state === 'done' ? duration(job.seconds) : '', `${done.device.name}, ${plural(done.device.threads, 'thread')}`,
      ].join('; ') }) : null);
  }

  private start(): void {
    try {
      this.host.sweep({
        partial: parseNumbers(this.lists.partial.value, t('cuts in time'), value => Number.isInteger(value) && value >= 1),
        lowpass: parseNumbers(this.lists.lowpass.value, t('low-pass fractions'), value => value > 0 && value <= 1),
        comb: parseNumbers(this.lists.comb.value, t('comb rows'), value => Number.isInteger(value) && value >= 1),
        blocks: parseBlocks(this.lists.blocks.value), combine: this.combine.checked, eachSite: this.eachSite.checked,
        windows: this.windows.value === '' ? undefined : Number(this.windows.value),
      });
    } catch (error) {
      replaceChildren(this.problem, message('error', (error as Error).message, undefined, [], 'sweep-failure'));
    }
  }

  private setRows(rows: readonly SweepRow[]): void {
    this.rows = rows;
    this.results.hidden = rows.length === 0;
    if (rows.length > 0) this.refresh();
  }

  private choose(key: string): void {
    this.chosen = key;
    this.refresh();
  }

  private refresh(): void {
    const chosen = this.rows.find(row => row.key === this.chosen);
    this.plot.show(this.rows, this.chosen);
    replaceChildren(this.chosenBox, chosen ? this.chosenRow(chosen) : el('p', { class: 'muted', text: t('Choose a point, or a row, to use its masks.') }));
    replaceChildren(this.tableBox, this.table());
  }

  private chosenRow(row: SweepRow): HTMLElement {
    const source: MaskSource = { kind: 'setting', setting: row.setting, sites: row.sites, name: row.label };
    return el('div', { class: 'row' }, el('strong', { text: describeRow(row) }), el('span', { class: 'grow' }),
      button(t('Use in This Plan'), () => this.host.useMasks(source, false), { primary: true, testid: 'sweep-use', title: t('One undo step') }),
      button(t('Open as New Plan'), () => this.host.useMasks(source, true), { testid: 'sweep-open' }));
  }

  private table(): HTMLElement {
    const titles = [t('Mask'), t('Site'), t('Perplexity'), t('Re-causalised'), t('Change'), t('Speed-up'), t('Filter error'), t('Leak')];
    const head = titles.map((title, i) => el('th', { text: title, class: i >= 2 ? 'numeric' : undefined, set: { scope: 'col' } }));
    const body = this.rows.map(row => {
      const pick = el('button', { class: 'link', text: `${row.pareto ? '★ ' : ''}${row.mask}`, testid: 'sweep-row', title: describeRow(row) });
      pick.addEventListener('click', () => this.choose(row.key));
      const loss = lossOf(row);
      const cells = [
        significant(row.masked.perplexity, 5), significant(row.recausalised.perplexity, 5), `${loss < 0 ? '−' : '+'}${Math.abs(loss).toFixed(2)}%`, speedup(row.speedup),
        significant(row.filterError, 3), percent(row.leak),
      ];
      const line = el('tr', {}, el('th', { set: { scope: 'row' } }, pick), el('td', { text: row.sites === 'all' ? t('all') : row.sites }), ...cells.map(text => el('td', { class: 'numeric', text })));
      if (row.key === this.chosen) line.setAttribute('aria-current', 'true');
      return line;
    });
    return el('div', { class: 'table-frame', tabIndex: 0, role: 'region', label: t('Settings of the sweep') },
      el('table', { testid: 'sweep-table' }, el('caption', { class: 'only-spoken', text: t('Settings of the sweep; a star marks those that no other beats') }),
        el('thead', {}, el('tr', {}, ...head)), el('tbody', {}, ...body)));
  }
}
