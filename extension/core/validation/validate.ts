import type { Sample, SampleSet } from '../data/samples';
import type { Engine } from '../engine/engine';
import { predictSeconds, SiteConvolution } from '../engine/site-convolution';
import type { LongConvModel } from '../families/model';
import { siteLength } from '../families/site-shape';
import type { DenseSessions } from '../graph/dense-sessions';
import { ModelRunner } from '../graph/runtime';
import type { SurgeryPlan } from '../plan/plan';
import type { SiteFilter } from '../plan/site-filter';
import type { Progress, ReportProgress } from '../protocol/rpc';
import { TOOL } from '../version';
import { OutputErrorMeter } from './activations';
import { findings } from './findings';
import { measureQuality, type RunModel } from './quality';
import type { DeviceInfo, SiteReport, ValidationReport } from './report';
import { compareTimes } from './speed';
import { mulberry32 } from './statistics';

/** Filters of all sites in the three variants that are compared. */
export interface FilterVariants {
  readonly dense: ReadonlyMap<string, SiteFilter>;
  /** Only the sites that the plan changes. */
  readonly masked: ReadonlyMap<string, SiteFilter>;
  readonly recausalised: ReadonlyMap<string, SiteFilter>;
}

export interface Validation {
  readonly model: LongConvModel;
  readonly plan: SurgeryPlan;
  readonly planPath: string;
  readonly filters: FilterVariants;
  readonly data?: SampleSet;
  readonly length: number;
  readonly engine: Engine;
  readonly sessions: DenseSessions;
  readonly device: DeviceInfo;
}

/** Share of the progress bar that quality takes; speed takes the rest. */
const QUALITY_SHARE = 0.7;

/** The speed and quality report: all variants on the same windows, in one run, speeds beside the errors of the same run. */
export async function validate(validation: Validation, progress: ReportProgress): Promise<ValidationReport> {
  const { model, plan, filters, data, length, engine, sessions, device } = validation;
  const threads = device.threads;
  const graph = await model.graph();
  const all = (changed: ReadonlyMap<string, SiteFilter>): Map<string, SiteFilter> => new Map([...filters.dense, ...changed]);
  const denseRunner = await ModelRunner.create({ graph, sessions, engine, filters: filters.dense, maxLength: length, threads });
  const runners = [await denseRunner.variant(all(filters.masked)), await denseRunner.variant(all(filters.recausalised)), denseRunner];
  const meter = await OutputErrorMeter.create(engine, filters.masked, filters.recausalised, length);
  try {
    const [maskedRun, recausalisedRun, denseRun] = runners.map((runner): RunModel => ({ input, extra }, onSite) => runner.run(input, 1, length, { onSite, extra }));
    const quality = data && (await measureQuality({
      samples: data.samples, vocabulary: model.vocabularySize, dense: denseRun, variants: [maskedRun, recausalisedRun],
      onDenseSite: (event) => meter.observe(event),
      onSample: (done) => progress(part(`quality: sample ${done} of ${data.samples.length}`, 0, QUALITY_SHARE, done / data.samples.length)),
    }));
    const sites = await siteReports(validation, meter, (p) => progress(part(p.message, QUALITY_SHARE, 0.95, p.fraction)));
    progress({ message: 'speed of the whole model', fraction: 0.95 });
    const sample = data ? data.samples[0] : randomSample(model, length);
    const [dense, masked, recausalised] = await compareTimes([denseRun, maskedRun, recausalisedRun].map((run) => () => run(sample)));
    const task = model.task ?? 'next-token';
    const metrics = quality && task !== 'features' ? {
      dense: quality.dense.quality(), masked: quality.variants[0].maskedQuality(quality.dense), recausalised: quality.variants[1].maskedQuality(quality.dense),
    } : undefined;
    const outputError = quality && { masked: quality.outputErrors[0], recausalised: quality.outputErrors[1] };
    progress({ message: 'done', fraction: 1 });
    return {
      version: 1, tool: TOOL, created: new Date().toISOString(),
      model: { path: model.path, family: model.family, fingerprint: plan.model.fingerprint, parameters: model.parameters, notes: model.notes },
      plan: { path: validation.planPath, sites: plan.sites.length },
      task,
      data: data ? { path: data.path, kind: data.kind, records: data.records } : null,
      windows: data?.samples.length ?? 0, length, ...metrics, ...(outputError && { outputError }), sites,
      wholeModel: { dense, masked, recausalised, tokens: length },
      device, findings: [...(data?.notes ?? []), ...findings({ sites, task, ...metrics })],
    };
  } finally {
    meter.free();
    for (const runner of runners) await runner.dispose();
  }
}

async function siteReports({ filters, length, engine, device }: Validation, meter: OutputErrorMeter, progress: ReportProgress): Promise<SiteReport[]> {
  const reports: SiteReport[] = [];
  for (const [id, masked] of filters.masked) {
    progress({ message: `speed of ${id}`, fraction: reports.length / filters.masked.size });
    const dense = filters.dense.get(id)!;
    const { site, measures } = masked;
    const samples = siteLength(site, length);
    const convolutions: SiteConvolution[] = [];
    for (const filter of [dense, masked, filters.recausalised.get(id)!]) convolutions.push(await SiteConvolution.prepare(engine, filter, samples));
    try {
      const input = randomSignal(site.channels * samples);
      const output = new Float32Array(input.length);
      const times = await compareTimes(convolutions.map((convolution) => () => convolution.run({ input, output, batch: 1, length: samples, threads: device.threads })));
      const predict = (filter: SiteFilter): number => predictSeconds(engine, filter, 1, samples, device.threads);
      const errors = meter.errors(id);
      reports.push({
        site: id, channels: site.channels, taps: site.taps, direction: site.direction, ...measures,
        outputError: errors.masked, recausalisedOutputError: errors.recausalised,
        dense: times[0], masked: times[1], recausalised: times[2],
        predictedSpeedup: predict(dense) / predict(masked), measuredSpeedup: times[0].median_ms / times[1].median_ms,
        algorithms: { dense: convolutions[0].algorithms, masked: convolutions[1].algorithms },
      });
    } finally {
      for (const convolution of convolutions) convolution.free();
    }
  }
  return reports;
}

function part(message: string, from: number, to: number, fraction: number): Progress {
  return { message, fraction: from + (to - from) * fraction };
}

/** Tokens or a signal, where there is no data. */
export function randomSample({ floatInput, vocabularySize }: Pick<LongConvModel, 'floatInput' | 'vocabularySize'>, length: number, seed = 1): Sample {
  const random = mulberry32(seed);
  const size = (floatInput ?? ['length' as const]).reduce<number>((product, dim) => product * (dim === 'length' ? length : dim), 1);
  const input = floatInput
    ? Float32Array.from({ length: size }, () => 2 * random() - 1)
    : Int32Array.from({ length: size }, () => Math.floor(random() * vocabularySize));
  return { input, targets: new Int32Array(0) };
}

/** Uniform on [-1, 1): never zeros, which could run faster than real data. */
function randomSignal(length: number): Float32Array {
  const random = mulberry32(2);
  return Float32Array.from({ length }, () => 2 * random() - 1);
}
