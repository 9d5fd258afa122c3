import { type SampleSet, seenByDense } from '../data/samples';
import type { Engine, SampleType } from '../engine/engine';
import type { Gpu } from '../engine/gpu';
import type { LongConvModel } from '../families/model';
import { GpuLab } from '../gpu/lab';
import type { DenseSessions } from '../graph/dense-sessions';
import type { SurgeryPlan } from '../plan/plan';
import type { Progress, ReportProgress } from '../protocol/rpc';
import { TOOL } from '../version';
import { CpuLab } from './cpu-lab';
import { findings } from './findings';
import type { FilterVariants, Lab } from './lab';
import { randomSample } from './random-input';
import type { DeviceInfo, SiteReport, ValidationReport } from './report';
import { siteReport } from './site-report';
import { verdictOf } from './verdict';

export interface Validation {
  readonly model: LongConvModel;
  readonly plan: SurgeryPlan;
  readonly planPath: string;
  readonly filters: FilterVariants;
  readonly data?: SampleSet;
  readonly length: number;
  /** Longest single run, where inputs of `length` go through as windows (see long-windows.ts); else length. */
  readonly runLength?: number;
  /** Longest run of the changed models, where that is more than runLength. On the CPU only. */
  readonly longestRun?: number;
  readonly engine: Engine;
  readonly sessions: DenseSessions;
  readonly device: DeviceInfo;
  /** Set to run everything on the GPU in place of engine and sessions. */
  readonly gpu?: { readonly gpu: Gpu; readonly element: SampleType };
}

/** Share of the progress bar that quality takes; speed takes the rest. */
const QUALITY_SHARE = 0.7;

/** The speed and quality report: all variants on the same windows, in one run, speeds beside the errors of the same run. */
export async function validate(validation: Validation, progress: ReportProgress): Promise<ValidationReport> {
  const { model, plan, data, length, device } = validation;
  const lab = await openLab(validation);
  try {
    const quality = data && (await lab.quality(data.samples,
      (done) => progress(part(`quality: sample ${done} of ${data.samples.length}`, 0, QUALITY_SHARE, done / data.samples.length))));
    const sites = await siteReports(validation, lab, (p) => progress(part(p.message, QUALITY_SHARE, 0.95, p.fraction)));
    progress({ message: 'speed of the whole model', fraction: 0.95 });
    const sample = data ? seenByDense(data.samples[data.samples.length - 1]) : randomSample(model, validation.runLength ?? length);
    const [dense, masked, recausalised] = await lab.timeModel(sample);
    const task = model.task ?? 'next-token';
    const metrics = quality && task !== 'features' ? {
      dense: quality.dense.quality(), masked: quality.masked.maskedQuality(quality.dense), recausalised: quality.recausalised.maskedQuality(quality.dense),
    } : undefined;
    progress({ message: 'done', fraction: 1 });
    return {
      version: 1, tool: TOOL, created: new Date().toISOString(),
      model: { path: model.path, family: model.family, fingerprint: plan.model.fingerprint, parameters: model.parameters, notes: model.notes },
      plan: { path: validation.planPath, sites: plan.sites.length },
      task,
      data: data ? { path: data.path, kind: data.kind, records: data.records } : null,
      windows: data?.samples.length ?? 0, length, ...metrics, ...(quality && { outputError: quality.outputError }), sites,
      wholeModel: { dense, masked, recausalised, tokens: sample.length },
      device, findings: [...(data?.notes ?? []), ...findings({ sites, task, ...metrics })],
      verdict: verdictOf(sites, metrics, dense.median_ms / masked.median_ms),
    };
  } finally {
    await lab.dispose();
  }
}

async function openLab({ model, filters, length, runLength, longestRun, engine, sessions, device, gpu }: Validation): Promise<Lab> {
  const setup = { graph: await model.graph(), filters, length: runLength ?? length, vocabulary: model.vocabularySize };
  return gpu ? GpuLab.create({ ...setup, ...gpu }) : CpuLab.create({ ...setup, longestRun, engine, sessions, threads: device.threads });
}

async function siteReports({ filters }: Validation, lab: Lab, progress: ReportProgress): Promise<SiteReport[]> {
  const reports: SiteReport[] = [];
  for (const [id, masked] of filters.masked) {
    progress({ message: `speed of ${id}`, fraction: reports.length / filters.masked.size });
    reports.push(siteReport(masked, await lab.timeSite(id), lab.outputErrors(id)));
  }
  return reports;
}

function part(message: string, from: number, to: number, fraction: number): Progress {
  return { message, fraction: from + (to - from) * fraction };
}
