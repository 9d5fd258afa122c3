import * as path from 'node:path';
import * as vscode from 'vscode';
import { KernelHostClient } from '../core/engine/kernel-host-client';
import type { CallOptions } from '../core/engine/kernel-host-client';
import { UserError } from '../core/errors';
import type { ReportProgress, RpcFailure } from '../core/protocol/rpc';
import { failureOf } from './failure';
import { PlanDiffs } from './plan-diff';

/**
 * What all editors and commands share: the log and two kernel hosts, each started on its first call. One answers the pages'
 * short questions; the other runs validations and exports, one at a time, so that cancelling one by ending its process leaves
 * the pages alone, and no two of them disturb each other's timing.
 */
export class Services implements vscode.Disposable {
  readonly log = vscode.window.createOutputChannel('Long-Conv Surgeon', { log: true });
  readonly diffs = new PlanDiffs();
  readonly interactive: KernelHostClient;
  private readonly jobHost: KernelHostClient;
  private running?: { readonly name: string; readonly abort: AbortController };

  constructor(readonly context: vscode.ExtensionContext) {
    const entry = path.join(context.extensionPath, 'dist', 'kernel-host.js');
    this.interactive = new KernelHostClient({ entry, log: line => this.log.info(`kernel host: ${line}`) });
    this.jobHost = new KernelHostClient({ entry, log: line => this.log.info(`kernel host (jobs): ${line}`) });
  }

  /** The model that comes with the extension. */
  get sampleModel(): vscode.Uri {
    return vscode.Uri.joinPath(this.context.extensionUri, 'test', 'fixtures', 'samples', 'hyenadna-tiny-1k-ecoli', 'model.safetensors');
  }

  /** Threads for validation; undefined: the addon's own choice. */
  get threads(): number | undefined {
    return vscode.workspace.getConfiguration('longconvSurgeon').get<number>('threads') || undefined;
  }

  /** Runs a long job on its own kernel host. Throws a UserError when one is running already or the workspace is not trusted. */
  async runJob<T>(name: string, progress: ReportProgress, work: (host: KernelHostClient, options: CallOptions) => Promise<T>): Promise<T> {
    if (!vscode.workspace.isTrusted) {
      throw new UserError('Models are not run in a workspace that is not trusted; they can only be looked at.', 'Trust the workspace (command "Workspaces: Manage Workspace Trust"), then try again.');
    }
    if (this.running) {
      throw new UserError(`The ${this.running.name} is still running, and two at once would spoil each other’s timing.`, 'Wait for it, or cancel it.');
    }
    const abort = new AbortController();
    this.running = { name, abort };
    this.log.info(`${name} started`);
    try {
      const result = await vscode.window.withProgress({ location: vscode.ProgressLocation.Window, title: `Long-Conv Surgeon: ${name}` }, status => work(this.jobHost, {
        signal: abort.signal,
        onProgress: state => {
          progress(state);
          status.report({ message: `${Math.round(state.fraction * 100)}%` });
        },
      }));
      this.log.info(`${name} done`);
      return result;
    } finally {
      this.running = undefined;
    }
  }

  /** Name of the job that was cancelled; undefined when none runs. */
  cancelJob(): string | undefined {
    const { running } = this;
    running?.abort.abort();
    return running?.name;
  }

  /** Ends both kernel hosts; they start again on the next call. */
  restartKernelHosts(): void {
    this.cancelJob();
    this.interactive.dispose();
    this.jobHost.dispose();
  }

  /** Logs a failure (with its stack, when it is a bug) and gives it back in the form that pages show. */
  report(what: string, error: unknown): RpcFailure {
    const failure = failureOf(error);
    if (failure.kind === 'internal') this.log.error(`${what}: ${failure.stack ?? failure.message}`);
    else this.log.warn(`${what}: ${failure.message}`);
    return failure;
  }

  dispose(): void {
    this.restartKernelHosts();
    this.diffs.dispose();
    this.log.dispose();
  }
}
