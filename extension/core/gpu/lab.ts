import type { TokenWindow } from '../data/data';
import type { Gpu } from '../engine/gpu';
import type { ModelGraph } from '../graph/model-graph';
import type { SiteFilter } from '../plan/site-filter';
import { type FilterVariants, type Lab, type SiteTimes, type VariantQuality, withChanged } from '../validation/lab';
import { QualityMeter } from '../validation/metrics';
import { randomSignal } from '../validation/random-input';
import type { Timing } from '../validation/report';
import { compareSamples } from '../validation/speed';
import { converted } from './copy';
import { GpuModelRunner, type GpuSiteEvent } from './runner';
import type { GpuSiteConvolution } from './site-convolution';
import { GpuTensor } from './tensor';

export interface GpuLabSetup {
  readonly graph: ModelGraph;
  readonly filters: FilterVariants;
  readonly length: number;
  readonly gpu: Gpu;
  readonly element: 'f16' | 'bf16';
}

/** The whole model and its convolutions on the GPU; only sums and times come back. */
export class GpuLab implements Lab {
  private readonly energies = new Map<string, { masked: number; recausalised: number; dense: number }>();

  private constructor(
    private readonly setup: GpuLabSetup,
    /** dense, masked, re-causalised */
    private readonly runners: readonly [GpuModelRunner, GpuModelRunner, GpuModelRunner],
  ) {}

  static async create(setup: GpuLabSetup): Promise<GpuLab> {
    const { graph, filters, length, gpu, element } = setup;
    const dense = await GpuModelRunner.create({ graph, gpu, filters: filters.dense, maxLength: length, element });
    const masked = await dense.variant(withChanged(filters.dense, filters.masked));
    return new GpuLab(setup, [dense, masked, await dense.variant(withChanged(filters.dense, filters.recausalised))]);
  }

  async quality(windows: readonly TokenWindow[], onWindow: (done: number) => void): Promise<VariantQuality> {
    const { gpu, length } = this.setup;
    const meters = { dense: new QualityMeter(), masked: new QualityMeter(), recausalised: new QualityMeter() };
    const [dense, masked, recausalised] = this.runners;
    for (const [index, { inputs, targets }] of windows.entries()) {
      const wanted = await GpuTensor.upload(gpu, targets, [length]);
      const denseLogits = await dense.start(inputs, 1, length, (event) => this.observe(event));
      meters.dense.addSums(await dense.measure(denseLogits, wanted), length);
      for (const [meter, runner] of [[meters.masked, masked], [meters.recausalised, recausalised]] as const) {
        const logits = await runner.start(inputs, 1, length);
        meter.addSums(await runner.measure(logits, wanted, denseLogits), length);
        logits.release();
      }
      denseLogits.release();
      wanted.release();
      onWindow(index + 1);
    }
    return meters;
  }

  outputErrors(site: string): { masked: number | null; recausalised: number | null } {
    const sums = this.energies.get(site);
    if (!sums || sums.dense === 0) return { masked: null, recausalised: null };
    return { masked: Math.sqrt(sums.masked / sums.dense), recausalised: Math.sqrt(sums.recausalised / sums.dense) };
  }

  async timeSite(id: string): Promise<SiteTimes> {
    const { gpu, filters, length, element } = this.setup;
    const channels = filters.dense.get(id)!.site.channels;
    const single = await GpuTensor.upload(gpu, randomSignal(channels * length), [1, channels, length]);
    const input = converted(gpu, single, element);
    const output = GpuTensor.allocate(gpu, element, input.dims);
    single.release();
    const convolutions = this.runners.map((runner) => runner.site(id));
    const [dense, masked, recausalised] = await compareSamples(convolutions.map((convolution) => () => this.deviceTime(() => convolution.run({ input, output }))));
    input.release();
    output.release();
    const executed = (filter: SiteFilter): number => executedShare(gpu, filter, length);
    return {
      dense, masked, recausalised, predictedSpeedup: executed(filters.dense.get(id)!) / executed(filters.masked.get(id)!),
      algorithms: { dense: convolutions[0].algorithms, masked: convolutions[1].algorithms },
    };
  }

  async timeModel(ids: Int32Array): Promise<[Timing, Timing, Timing]> {
    const runs = this.runners.map((runner) => () => this.deviceTime(async () => (await runner.start(ids, 1, this.setup.length)).release()));
    return (await compareSamples(runs)) as [Timing, Timing, Timing];
  }

  async dispose(): Promise<void> {
    await this.setup.gpu.synchronize();
    const [dense, ...variants] = this.runners;
    for (const runner of [...variants, dense]) runner.dispose();
  }

  /** Milliseconds on the device between the start and the end of what `work` starts. */
  private async deviceTime(work: () => Promise<void> | void): Promise<number> {
    const { gpu } = this.setup;
    const first = gpu.makeMark();
    await work();
    return 1e3 * (await gpu.secondsBetween({ first, second: gpu.makeMark() }));
  }

  /** The changed filters on what the dense model's site was given. */
  private async observe(event: GpuSiteEvent): Promise<void> {
    if (!this.setup.filters.masked.has(event.site)) return;
    const sums = this.energies.get(event.site) ?? { masked: 0, recausalised: 0, dense: 0 };
    this.energies.set(event.site, sums);
    const { input, output: wanted } = event;
    const run = async (convolution: GpuSiteConvolution): Promise<[number, number]> => {
      const output = GpuTensor.allocate(this.setup.gpu, input.element, input.dims);
      convolution.run({ ...event, output });
      const energies = await this.setup.gpu.difference({ a: output.address, b: wanted.address, element: input.element, count: input.count });
      output.release();
      return energies;
    };
    const [masked, dense] = await run(this.runners[1].site(event.site));
    const [recausalised] = await run(this.runners[2].site(event.site));
    sums.masked += masked;
    sums.recausalised += recausalised;
    sums.dense += dense;
  }
}

/** Share of the dense transforms' points that the site's kernels visit: the GPU's prediction, which counts arithmetic and no memory traffic. */
function executedShare(gpu: Gpu, filter: SiteFilter, maxLength: number): number {
  const shares = filter.parts.map((part) => {
    const channels = part.channels[1] - part.channels[0];
    return channels * gpu.predictConvolution({ channels, mode: part.mode, filterLength: part.filterLength, maxLength, grid: part.grid }).executedFraction;
  });
  return shares.reduce((a, b) => a + b, 0) / filter.site.channels;
}
