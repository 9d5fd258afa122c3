import type { Sample } from '../data/samples';
import type { Engine } from '../engine/engine';
import type { DenseSessions } from '../graph/dense-sessions';
import type { ModelGraph } from '../graph/model-graph';
import { ModelRunner } from '../graph/runtime';
import { OutputErrorMeter } from './activations';
import { type FilterVariants, type Lab, type SiteTimes, type VariantQuality, withChanged } from './lab';
import { measureQuality, type RunModel } from './quality';
import type { Timing } from './report';
import { measureSite } from './site-report';
import { compareTimes, ONCE } from './speed';

export interface CpuLabSetup {
  readonly graph: ModelGraph;
  readonly filters: FilterVariants;
  readonly length: number;
  /** Longest run of the changed models, where that is more than length. */
  readonly longestRun?: number;
  readonly vocabulary: number;
  readonly engine: Engine;
  readonly sessions: DenseSessions;
  readonly threads: number;
}

/** Dense pieces in ONNX Runtime, convolutions in the engine's CPU kernels. */
export class CpuLab implements Lab {
  private constructor(
    private readonly setup: CpuLabSetup,
    /** dense, masked, re-causalised */
    private readonly runners: readonly [ModelRunner, ModelRunner, ModelRunner],
    private readonly meter: OutputErrorMeter,
  ) {}

  static async create(setup: CpuLabSetup): Promise<CpuLab> {
    const { graph, filters, length, longestRun = length, engine, sessions, threads } = setup;
    const dense = await ModelRunner.create({ graph, sessions, engine, filters: filters.dense, maxLength: longestRun, threads });
    const masked = await dense.variant(withChanged(filters.dense, filters.masked));
    const recausalised = await dense.variant(withChanged(filters.dense, filters.recausalised));
    return new CpuLab(setup, [dense, masked, recausalised], await OutputErrorMeter.create(engine, filters.masked, filters.recausalised, length));
  }

  async quality(samples: readonly Sample[], onSample: (done: number) => void): Promise<VariantQuality> {
    const [denseRun, maskedRun, recausalisedRun] = this.runs();
    const { dense, variants, outputErrors } = await measureQuality({
      samples, vocabulary: this.setup.vocabulary, dense: denseRun, variants: [maskedRun, recausalisedRun],
      onDenseSite: (event) => this.meter.observe(event), onSample,
    });
    return { dense, masked: variants[0], recausalised: variants[1], outputError: { masked: outputErrors[0], recausalised: outputErrors[1] } };
  }

  outputErrors(site: string): { masked: number | null; recausalised: number | null } {
    return this.meter.errors(site);
  }

  async timeSite(site: string): Promise<SiteTimes> {
    const { filters, engine, threads, length } = this.setup;
    const variants = { dense: filters.dense.get(site)!, masked: filters.masked.get(site)!, recausalised: filters.recausalised.get(site)! };
    return (await measureSite(variants, length, engine, threads)).times;
  }

  async timeModel(sample: Sample): Promise<[Timing, Timing, Timing]> {
    return (await compareTimes(this.runs().map((run) => () => run(sample)), this.setup.graph.stored ? ONCE : {})) as [Timing, Timing, Timing];
  }

  async dispose(): Promise<void> {
    this.meter.free();
    const [dense, ...variants] = this.runners;
    for (const runner of [...variants, dense]) await runner.dispose();
  }

  private runs(): RunModel[] {
    return this.runners.map((runner): RunModel => ({ input, extra, length }, onSite) => runner.run(input, 1, length, { onSite, extra }));
  }
}
