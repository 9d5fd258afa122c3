import * as path from 'node:path';
import * as vscode from 'vscode';
import { UserError } from '../core/errors';
import type { ExportResult, ModelRef, SiteSummary } from '../core/protocol/kernel-host';
import type { RpcFailure } from '../core/protocol/rpc';
import type { DataFile, ExportChoice, MaskSource, PlanEditorApi, PlanEditorEvents, PlanView, ValidationOutcome } from '../core/protocol/webview';
import type { SitePlan } from '../core/plan/plan';
import { formatPlan } from '../core/plan/read';
import { InterruptedJob } from './interrupted-job';
import { Job } from './job';
import { localPath } from './local-file';
import type { PageChannel } from './page-channel';
import { PlanDocument } from './plan-document';
import { PlanModel } from './plan-model';
import { newPlanBeside } from './new-plan-file';
import { PlanTrials } from './plan-trials';
import { saveImage } from './save-image';
import type { Services } from './services';
import { ValidationRuns } from './validation-runs';

/** Everything about one open plan that outlives its pages: the model, the jobs with their results, and the chosen data. */
export class PlanSession implements vscode.Disposable {
  readonly pages = new Set<PageChannel<PlanEditorEvents>>();
  private readonly document: PlanDocument;
  private readonly model: PlanModel;
  private readonly runs: ValidationRuns;
  private readonly validation: Job<ValidationOutcome>;
  private readonly exporting = new Job<ExportResult>(state => this.send('export', state));
  private readonly trials: PlanTrials;
  private readonly subscription: vscode.Disposable;
  private data: DataFile | null;

  constructor(document: vscode.TextDocument, private readonly services: Services) {
    this.document = new PlanDocument(document);
    const dataPath = services.context.workspaceState.get<string>(this.dataKey);
    this.data = dataPath ? { path: dataPath, name: path.basename(dataPath) } : null;
    this.model = new PlanModel(services.interactive, document.uri.fsPath, state => this.send('model', state), (what, error) => this.report(what, error));
    const { workspaceState } = services.context;
    this.runs = new ValidationRuns(workspaceState, document.uri, () => services.setting('keptRuns', document.uri) ?? 1, runs => this.send('runs', runs));
    this.validation = new Job<ValidationOutcome>(state => this.send('validation', state), new InterruptedJob(workspaceState, document.uri, 'validation'));
    this.trials = new PlanTrials({
      services, plan: document.uri, model: () => this.modelRef, data: () => this.data?.path, report: (what, error) => this.report(what, error),
      onSweep: state => this.send('sweep', state), onSearch: state => this.send('search', state),
    });
    this.subscription = vscode.workspace.onDidChangeTextDocument(event => {
      if (event.document === document && event.contentChanges.length > 0) this.readPlan();
    });
    this.readPlan();
  }

  get uri(): vscode.Uri {
    return this.document.document.uri;
  }

  readonly handlers: PlanEditorApi = {
    load: async () => ({
      fileName: this.document.name, plan: this.document.read(), model: this.model.state, data: this.data,
      validation: this.validation.state, export: this.exporting.state, searchWindows: this.services.setting('searchWindows', this.uri) ?? 16, sweep: this.trials.sweeping.state, search: this.trials.searching.state, runs: this.runs.list,
    }),
    timeSeries: async params => this.services.interactive.call('timeSeries', { ...params, ...this.modelRef }),
    frequencySeries: async params => this.services.interactive.call('frequencySeries', { ...params, ...this.modelRef }),
    timeHeatmap: async params => this.services.interactive.call('timeHeatmap', { ...params, ...this.modelRef }),
    overview: async params => this.services.interactive.call('overview', { ...params, ...this.modelRef }),
    cellHeatmap: async params => this.services.interactive.call('cellHeatmap', { ...params, ...this.modelRef }),
    preview: async params => this.services.interactive.call('preview', { ...params, ...this.modelRef }),
    measure: async params => this.services.interactive.call('measure', { ...params, ...this.modelRef }),
    edit: async edit => this.document.change(edit, this.sites),
    openAsText: async () => { await vscode.commands.executeCommand('vscode.openWith', this.uri, 'default'); },
    openModel: async () => { await vscode.commands.executeCommand('longconvSurgeon.openModel', vscode.Uri.file(this.modelRef.model)); },
    chooseData: async () => this.chooseData(),
    clearData: async () => this.setData(null),
    validate: async ({ length }) => this.validate(length),
    exportPlan: async choice => this.export(choice),
    cancel: async () => { this.services.cancelJob(); },
    saveReport: async ({ run, format }) => this.runs.save(run, format),
    removeRun: async ({ run }) => this.runs.remove(run),
    sweep: async choice => this.trials.sweep(choice),
    search: async choice => this.trials.search(choice),
    useMasks: async ({ from, newPlan }) => this.useMasks(from, newPlan),
    saveImage: async image => saveImage(image, vscode.Uri.joinPath(this.uri, '..')),
    reveal: async params => { await vscode.commands.executeCommand('revealInExplorer', vscode.Uri.file(params.path)); },
    retryModel: async () => this.model.retry(this.document.require()),
    showLog: async () => this.services.log.show(),
  };

  /** Shows the plan's text beside its last saved or committed state. */
  async showDiff(against: 'saved' | 'committed'): Promise<void> {
    await this.services.diffs.show(this.document.document, against);
  }

  /** Brings one of the views to the front of every page of this plan. */
  showView(view: PlanView): void {
    this.send('show', view);
  }

  /** Starts a validation on the chosen data; its state reaches the pages as events. */
  async validate(length?: number): Promise<void> {
    const text = this.planText();
    const plan = this.document.require();
    if (this.validation.running) throw new UserError('This plan is being validated already.');
    void this.validation.run(async progress => {
      const report = await this.services.runJob('validation', progress, (host, options) => host.call('validate', {
        plan: localPath(this.uri), planText: text, data: this.data?.path, length: length ?? this.services.setting('validationLength', this.uri), backend: 'auto', threads: this.services.threads,
      }, options));
      return { run: await this.runs.add(plan, report) };
    }, error => this.report('validation', error));
  }

  dispose(): void {
    this.subscription.dispose();
    if (this.validation.running || this.exporting.running || this.trials.running) this.services.cancelJob();
  }

  private get dataKey(): string {
    return `data:${this.uri.toString()}`;
  }

  private get modelRef(): ModelRef {
    const { plan } = this.document.read();
    if (!plan) throw new UserError(`${this.document.name} is not a plan yet, so it names no model.`);
    return this.model.ref(plan);
  }

  private get sites(): readonly SiteSummary[] {
    if (this.model.state.state !== 'ready') throw new UserError('The model of this plan is not open, so its masks cannot be changed.');
    return this.model.state.summary.sites;
  }

  /** The text of the document, which must be a valid plan of a local file. */
  private planText(): string {
    localPath(this.uri);
    this.document.require();
    return this.document.document.getText();
  }

  private readPlan(): void {
    const state = this.document.read();
    this.send('plan', state);
    if (state.plan && !state.invalid) void this.model.follow(state.plan);
  }

  /** Masks that a job found or tried: into this plan as one undo step, or into a new plan beside it, which opens. */
  private async useMasks(from: MaskSource, asNew: boolean): Promise<void> {
    const sites: readonly SitePlan[] = from.kind === 'found' ? this.trials.found.sites
      : from.kind === 'run' ? this.runs.get(from.run).sites : await this.trials.masksOf(from.setting, from.sites);
    if (!asNew) {
      await this.document.change({ kind: 'setAll', sites }, this.sites);
      return this.showView('masks');
    }
    const plan = { ...this.document.require(), sites };
    await newPlanBeside(this.uri, from.kind === 'setting' ? from.name : from.kind, formatPlan(plan));
  }

  private async chooseData(): Promise<DataFile | null> {
    const [chosen] = await vscode.window.showOpenDialog({
      title: 'Data to validate on', openLabel: 'Use', defaultUri: vscode.Uri.joinPath(this.uri, '..'),
      filters: { 'Sequences, text or tokens': ['fa', 'fasta', 'fna', 'txt', 'safetensors'], 'All files': ['*'] },
    }) ?? [];
    if (chosen) await this.setData({ path: localPath(chosen), name: path.basename(chosen.path) });
    return this.data;
  }

  private async setData(data: DataFile | null): Promise<void> {
    this.data = data;
    this.send('data', data);
    await this.services.context.workspaceState.update(this.dataKey, data?.path);
  }

  private async export(choice: ExportChoice): Promise<void> {
    const text = this.planText();
    if (this.exporting.running) throw new UserError('This plan is being exported already.');
    const target = await vscode.window.showSaveDialog({
      title: 'Export to', saveLabel: 'Export', defaultUri: vscode.Uri.joinPath(this.uri, '..', exportName(this.document.name, choice)),
      filters: choice.format === 'onnx' ? { ONNX: ['onnx'] } : { safetensors: ['safetensors'] },
    });
    if (!target) return;
    const output = localPath(target);
    if (output === this.modelRef.model) throw new UserError('The model of the plan is never overwritten.', 'Choose another name.');
    void this.exporting.run(
      progress => this.services.runJob('export', progress, (host, options) => host.call('exportPlan', { plan: localPath(this.uri), planText: text, ...choice, output }, options)),
      error => this.report('export', error));
  }

  private report(what: string, error: unknown): RpcFailure {
    return this.services.report(`${this.document.name}: ${what}`, error);
  }

  private send<E extends keyof PlanEditorEvents>(name: E, data: PlanEditorEvents[E]): void {
    for (const page of this.pages) page.send(name, data);
  }
}

/** e.g. "model.baked.safetensors", "model.recausalised.onnx" for model.surgery.json. */
function exportName(planName: string, choice: ExportChoice): string {
  const stem = planName.replace(/\.surgery\.json$|\.json$/, '');
  const parts = [stem, choice.format === 'safetensors' ? choice.form : choice.lowering, choice.recausalise ? 'recausalised' : undefined, choice.format];
  return parts.filter(part => part !== undefined).join('.');
}
