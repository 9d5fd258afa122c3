import { NOT_SCORED, type Sample } from '../data/samples';
import type { SampleType } from '../engine/engine';
import type { Gpu } from '../engine/gpu';
import { siteLength } from '../families/site-shape';
import type { ModelGraph } from '../graph/model-graph';
import type { SiteFilter } from '../plan/site-filter';
import { type FilterVariants, type Lab, type SiteTimes, type VariantQuality, withChanged } from '../validation/lab';
import { QualityMeter } from '../validation/metrics';
import { randomSignal } from '../validation/random-input';
import type { Timing } from '../validation/report';
import { compareSamples } from '../validation/speed';
import { copyInto } from './copy';
import { GpuModelRunner, type GpuSiteEvent } from './runner';
import { type GpuSiteConvolution, predictedSeconds } from './site-convolution';
import { GpuTensor } from './tensor';

export interface GpuLabSetup {
  readonly graph: ModelGraph;
  readonly filters: FilterVariants;
  readonly length: number;
  /** Columns of the logits. */
  readonly vocabulary: number;
  readonly gpu: Gpu;
  readonly element: SampleType;
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

  async quality(samples: readonly Sample[], onSample: (done: number) => void): Promise<VariantQuality> {
    const { gpu, vocabulary } = this.setup;
    const [dense, masked, recausalised] = this.runners;
    const variants = { masked: { runner: masked, meter: new QualityMeter(), error: 0 }, recausalised: { runner: recausalised, meter: new QualityMeter(), error: 0 } };
    const denseMeter = new QualityMeter();
    let energy = 0;
    for (const [index, { input, extra, length, targets }] of samples.entries()) {
      const scored = targets.filter((target) => target !== NOT_SCORED).length;
      const wanted = scored > 0 ? await GpuTensor.upload(gpu, targets, [targets.length]) : undefined;
      const output = await dense.start(input, 1, length, { extra, onSite: (event) => this.observe(event) });
      if (wanted) denseMeter.addSums(await dense.measure(output, wanted, scored, vocabulary), scored);
      for (const variant of Object.values(variants)) {
        const changed = await variant.runner.start(input, 1, length, { extra });
        if (wanted) variant.meter.addSums(await variant.runner.measure(changed, wanted, scored, vocabulary, output), scored);
        const [error, denseEnergy] = await gpu.difference({ a: changed.address, b: output.address, element: 'f32', count: output.count });
        variant.error += error;
        energy += denseEnergy / 2; // seen once with each variant
        changed.release();
      }
      output.release();
      wanted?.release();
      onSample(index + 1);
    }
    const outputError = (error: number): number => (energy > 0 ? Math.sqrt(error / energy) : 0);
    return {
      dense: denseMeter, masked: variants.masked.meter, recausalised: variants.recausalised.meter,
      outputError: { masked: outputError(variants.masked.error), recausalised: outputError(variants.recausalised.error) },
    };
  }

  outputErrors(site: string): { masked: number | null; recausalised: number | null } {
    const sums = this.energies.get(site);
    if (!sums || sums.dense === 0) return { masked: null, recausalised: null };
    return { masked: Math.sqrt(sums.masked / sums.dense), recausalised: Math.sqrt(sums.recausalised / sums.dense) };
  }

  async timeSite(id: string): Promise<SiteTimes> {
    const { gpu, filters, element } = this.setup;
    const { site } = filters.dense.get(id)!;
    const length = siteLength(site, this.setup.length);
    const input = await repeatedSignal(gpu, element, [1, site.channels, length]);
    const output = GpuTensor.allocate(gpu, element, input.dims);
    const convolutions = this.runners.map((runner) => runner.site(id));
    const [dense, masked, recausalised] = await compareSamples(convolutions.map((convolution) => () => this.deviceTime(() => convolution.run({ input, output }))));
    input.release();
    output.release();
    const seconds = (filter: SiteFilter): number => predictedSeconds(gpu, filter, length, element);
    return {
      dense, masked, recausalised, predictedSpeedup: seconds(filters.dense.get(id)!) / seconds(filters.masked.get(id)!),
      algorithms: { dense: convolutions[0].algorithms, masked: convolutions[1].algorithms },
    };
  }

  async timeModel({ input, extra, length }: Sample): Promise<[Timing, Timing, Timing]> {
    const runs = this.runners.map((runner) => () => this.deviceTime(async () => (await runner.start(input, 1, length, { extra })).release()));
    return (await compareSamples(runs)) as [Timing, Timing, Timing];
  }

  async dispose(): Promise<void> {
    const [dense, ...variants] = this.runners;
    for (const runner of [...variants, dense]) await runner.dispose();
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

/** Random numbers, one million of them over and over. */
async function repeatedSignal(gpu: Gpu, element: SampleType, dims: readonly number[]): Promise<GpuTensor> {
  const signal = GpuTensor.allocate(gpu, element, dims);
  const piece = Math.min(signal.count, 1 << 20);
  const random = await GpuTensor.upload(gpu, randomSignal(piece), [piece]);
  for (let first = 0; first < signal.count; first += piece) {
    const part = signal.part(first, [Math.min(piece, signal.count - first)]);
    copyInto(gpu, part, random.view(part.dims));
    part.release();
  }
  random.release();
  return signal;
}
