import { createHash } from 'node:crypto';
import * as path from 'node:path';
import * as vscode from 'vscode';
import { UserError } from '../core/errors';
import type { SitePlan, SurgeryPlan } from '../core/plan/plan';
import type { ModelRef } from '../core/protocol/kernel-host';
import type { RpcFailure } from '../core/protocol/rpc';
import type { JobState, MaskSetting, SearchChoice, SearchResult, SweepChoice, SweepResult } from '../core/protocol/webview';
import { InterruptedJob } from './interrupted-job';
import { Job } from './job';
import type { Services } from './services';

export interface TrialContext {
  readonly services: Services;
  readonly plan: vscode.Uri;
  readonly model: () => ModelRef;
  readonly data: () => string | undefined;
  readonly report: (what: string, error: unknown) => RpcFailure;
  readonly onSweep: (state: JobState<SweepResult>) => void;
  readonly onSearch: (state: JobState<SearchResult>) => void;
}

/** The two jobs that try many masks on the model of a plan. */
export class PlanTrials {
  readonly sweeping: Job<SweepResult>;
  readonly searching: Job<SearchResult>;
  private readonly sweepMarker: InterruptedJob;
  private readonly searchMarker: InterruptedJob;

  constructor(private readonly context: TrialContext) {
    const { services, plan, onSweep, onSearch } = context;
    this.sweepMarker = new InterruptedJob(services.context.workspaceState, plan, 'sweep');
    this.searchMarker = new InterruptedJob(services.context.workspaceState, plan, 'search');
    this.sweeping = new Job<SweepResult>(onSweep, this.sweepMarker);
    this.searching = new Job<SearchResult>(onSearch, this.searchMarker);
  }

  get running(): boolean {
    return this.sweeping.running || this.searching.running;
  }

  async sweep(choice: SweepChoice): Promise<void> {
    const { services, report } = this.context;
    const data = this.requireData('sweep');
    if (this.sweeping.running) throw new UserError('A sweep of this plan’s model is running already.');
    const journal = await this.journalFile();
    const request = { ...choice, ...this.context.model(), data, backend: 'auto' as const, threads: services.threads, journal };
    void this.sweeping.run(progress => services.runJob('sweep', progress, (host, options) => host.call('sweep', request, options)), error => report('sweep', error));
  }

  async search(choice: SearchChoice): Promise<void> {
    const { services, plan, report } = this.context;
    const data = this.requireData('search');
    if (this.searching.running) throw new UserError('A search for a mask is running already.');
    const request = { ...choice, ...this.context.model(), data, backend: 'auto' as const, threads: services.threads, planPath: plan.fsPath };
    void this.searching.run(progress => services.runJob('search', progress, (host, options) => host.call('search', request, options)), error => report('search', error));
  }

  /** The masks of a sweep's setting, on all sites that the sweep was over or on one. */
  async masksOf(setting: MaskSetting, sites: string): Promise<readonly SitePlan[]> {
    const made = await this.context.services.interactive.call('makePlan', {
      ...this.context.model(), planPath: this.context.plan.fsPath, ...setting, ...(sites !== 'all' && { sites }),
    });
    return made.sites;
  }

  get found(): SurgeryPlan {
    const { state } = this.searching;
    if (state.state !== 'done') throw new UserError('No search has found a plan yet.');
    return state.result.plan;
  }

  private requireData(job: string): string {
    const data = this.context.data();
    if (!data) throw new UserError(`The ${job} needs data to measure quality on.`, 'Choose a FASTA, text or safetensors file first.');
    return data;
  }

  /** Where the finished rows of a sweep are kept while it runs: one file for each plan, in the workspace's storage. */
  private async journalFile(): Promise<string | undefined> {
    const storage = this.context.services.context.storageUri;
    if (!storage) return undefined;
    await vscode.workspace.fs.createDirectory(storage);
    return path.join(storage.fsPath, `sweep-${createHash('sha256').update(this.context.plan.toString()).digest('hex').slice(0, 16)}.json`);
  }
}
