import type * as vscode from 'vscode';
import type { JobName } from '../core/protocol/webview';
import type { RpcFailure } from '../core/protocol/rpc';

/** Remembers in the workspace's state that a job of a plan runs, so that a window that was reloaded meanwhile can say so. */
export class InterruptedJob {
  constructor(private readonly state: vscode.Memento, private readonly plan: vscode.Uri, private readonly job: JobName) {}

  async begin(): Promise<void> {
    await this.state.update(this.key, Date.now());
  }

  async end(): Promise<void> {
    await this.state.update(this.key, undefined);
  }

  /** Set when the job was running as the window closed. */
  get failure(): RpcFailure | undefined {
    if (this.state.get<number>(this.key) === undefined) return undefined;
    const hint = this.job === 'sweep' ? 'Nothing is lost: started again, it goes on after the rows that were done.' : 'Nothing of the plan is lost: run it again.';
    return { kind: 'crashed', message: `The window was closed or reloaded while the ${this.job} ran.`, hint };
  }

  private get key(): string {
    return `running:${this.job}:${this.plan.toString()}`;
  }
}
