import * as path from 'node:path';
import type { KernelHostClient } from '../core/engine/kernel-host-client';
import { modelProblems } from '../core/plan/check';
import type { SurgeryPlan } from '../core/plan/plan';
import { problemText } from '../core/plan/problem';
import type { ModelRef } from '../core/protocol/kernel-host';
import type { RpcFailure } from '../core/protocol/rpc';
import type { ModelState } from '../core/protocol/webview';
import { withoutStack } from './failure';

/** The model of an open plan: opened when its path or options change, and compared with the plan. */
export class PlanModel {
  state: ModelState = { state: 'loading' };
  private loaded = '';
  private fingerprint?: string;

  constructor(
    private readonly host: KernelHostClient,
    private readonly planPath: string,
    private readonly onChange: (state: ModelState) => void,
    private readonly report: (what: string, error: unknown) => RpcFailure,
  ) {}

  ref(plan: SurgeryPlan): ModelRef {
    return { model: path.resolve(path.dirname(this.planPath), plan.model.path), options: plan.model.options };
  }

  /** Opens the plan's model unless it is the one that is open already. */
  async follow(plan: SurgeryPlan): Promise<void> {
    const ref = this.ref(plan);
    const key = JSON.stringify(ref);
    if (key === this.loaded) {
      if (this.state.state === 'ready') this.ready(plan, this.state.summary);
      return;
    }
    this.loaded = key;
    this.fingerprint = undefined;
    this.set({ state: 'loading' });
    try {
      const summary = await this.host.call('inspect', ref);
      if (key !== this.loaded) return;
      this.ready(plan, summary);
      this.fingerprint = await this.host.call('fingerprint', { path: ref.model });
      if (key === this.loaded) this.ready(plan, summary);
    } catch (error) {
      if (key !== this.loaded) return;
      this.loaded = '';
      this.set({ state: 'failed', failure: withoutStack(this.report(`opening ${ref.model}`, error)) });
    }
  }

  /** Opens the model again, e.g. after the kernel host ended or the file changed. */
  async retry(plan: SurgeryPlan): Promise<void> {
    this.loaded = '';
    await this.follow(plan);
  }

  private ready(plan: SurgeryPlan, summary: Extract<ModelState, { state: 'ready' }>['summary']): void {
    const problem = modelProblems(plan, summary)[0];
    const changed = this.fingerprint !== undefined && this.fingerprint !== plan.model.fingerprint;
    const warning = problem ? `The plan does not fit the model: ${problemText(problem)}.`
      : changed ? `${summary.name} is not the file that this plan was made for: its fingerprint differs. Make a new plan for it, or point model.path at the original file.` : undefined;
    if (this.state.state === 'ready' && this.state.summary === summary && this.state.warning === warning) return;
    this.set({ state: 'ready', summary, warning });
  }

  private set(state: ModelState): void {
    this.state = state;
    this.onChange(state);
  }
}
