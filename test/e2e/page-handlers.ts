import path from 'node:path';
import { KernelHostClient } from '../../extension/core/engine/kernel-host-client';
import { changedPlan } from '../../extension/editors/plan-changes';
import type { SurgeryPlan } from '../../extension/core/plan/plan';
import type { ModelSummary } from '../../extension/core/protocol/kernel-host';
import type { PlanEdit, PlanPageState, ValidationRun } from '../../extension/core/protocol/webview';
import type { Handlers, PageHost } from './page-host';
import { repositoryRoot } from './server/installation';

export const SAMPLE = path.join(repositoryRoot, 'test/fixtures/samples/hyenadna-tiny-1k-ecoli');
const MODEL = path.join(SAMPLE, 'model.safetensors');

/** The kernel host as the build made it, for pages without a workbench. */
export class SampleHost {
  /** @param file the model that the pages show, and its family. */
  constructor(private readonly file = MODEL, family = 'hyenadna') {
    this.plan = { version: 1, model: { path: path.basename(file), family, fingerprint: `sha256:${'0'.repeat(64)}` }, sites: [] };
  }

  readonly kernel = new KernelHostClient({ entry: path.join(repositoryRoot, 'dist/kernel-host.js') });
  plan: SurgeryPlan;
  private revision = 0;
  private summary?: ModelSummary;

  async model(): Promise<ModelSummary> {
    this.summary ??= await this.kernel.call('inspect', { model: this.file });
    return this.summary;
  }

  get filterHandlers(): Handlers {
    const ask = (method: 'timeSeries' | 'frequencySeries' | 'timeHeatmap' | 'cellHeatmap' | 'preview' | 'measure' | 'overview') => (params: never): unknown =>
      this.kernel.call(method, { ...(params as object), model: this.file } as never);
    return { timeSeries: ask('timeSeries'), frequencySeries: ask('frequencySeries'), timeHeatmap: ask('timeHeatmap'), cellHeatmap: ask('cellHeatmap'), preview: ask('preview'), measure: ask('measure'), overview: ask('overview') };
  }

  viewerHandlers(): Handlers {
    return { ...this.filterHandlers, load: async () => ({ kind: 'model', model: await this.model() }) };
  }

  /** @param page gives the page that edits are sent back to. */
  planHandlers(page: () => PageHost, extra: Partial<PlanPageState> = {}): Handlers {
    return {
      ...this.filterHandlers,
      load: async (): Promise<PlanPageState> => ({
        fileName: 'model.surgery.json', plan: { plan: this.plan, revision: this.revision }, model: { state: 'ready', summary: await this.model() },
        data: { path: path.join(SAMPLE, 'ecoli-table.fa'), name: 'ecoli-table.fa' },
        validation: { state: 'idle' }, export: { state: 'idle' }, sweep: { state: 'idle' }, search: { state: 'idle' }, runs: [], searchWindows: 16, ...extra,
      }),
      edit: async (edit: PlanEdit) => {
        this.plan = changedPlan(this.plan, edit, (await this.model()).sites);
        this.revision++;
        void page().send('plan', { plan: this.plan, revision: this.revision });
      },
    };
  }

  async run(): Promise<ValidationRun> {
    const planText = JSON.stringify({ ...this.plan, model: { ...this.plan.model, fingerprint: await this.kernel.call('fingerprint', { path: MODEL }) } });
    const report = await this.kernel.call('validate', { plan: path.join(SAMPLE, 'page.surgery.json'), planText, data: path.join(SAMPLE, 'ecoli-table.fa'), backend: 'cpu' });
    return { id: 'run', sites: this.plan.sites, masks: 'first 64 taps (2 sites)', report };
  }

  dispose(): void {
    this.kernel.dispose();
  }
}
