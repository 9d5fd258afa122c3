import type { Sample } from '../data/samples';
import type { Engine } from '../engine/engine';
import type { LongConvModel } from '../families/model';
import type { DenseSessions } from '../graph/dense-sessions';
import { ModelRunner } from '../graph/runtime';
import { siteFilter } from '../plan/apply';
import { makePlan } from '../plan/make';
import type { SitePlan, Symmetry } from '../plan/plan';
import type { SiteFilter } from '../plan/site-filter';
import type { SweepRow } from '../protocol/search';
import type { DeviceInfo } from '../validation/report';
import type { Journal } from './journal';
import { LossMeter } from './loss-meter';
import { settingName } from './mask-setting';
import type { MaskSetting } from './mask-setting';
import { paretoFront } from './pareto';
import { SiteTimes } from './site-times';

export interface Sweep {
  readonly model: LongConvModel;
  readonly fingerprint: string;
  /** The model's own filters, one for every site. */
  readonly dense: ReadonlyMap<string, SiteFilter>;
  readonly samples: readonly Sample[];
  /** Length of a sample. */
  readonly length: number;
  readonly settings: readonly MaskSetting[];
  readonly symmetry: Symmetry;
  /** Sites that are masked. */
  readonly sites: readonly string[];
  /** Each site alone, in place of all of them together: how sensitive the model is to each. */
  readonly eachSite: boolean;
  readonly engine: Engine;
  readonly sessions: DenseSessions;
  readonly device: DeviceInfo;
  readonly journal: Journal<SweepRow>;
}

export interface SweepProgress { readonly message: string; readonly fraction: number; readonly rows: readonly SweepRow[] }

/** One step of a sweep: a setting on all of its sites, or on one. */
interface Step { readonly name: string; readonly setting: MaskSetting; readonly sites: readonly string[]; readonly label: string }

/** Quality and speed of every setting. Rows that the journal already holds are not run again. */
export async function runSweep(sweep: Sweep, progress: (progress: SweepProgress) => void): Promise<SweepRow[]> {
  const steps = stepsOf(sweep);
  const rows: SweepRow[] = [...sweep.journal.rows];
  const done = new Set(rows.map(rowKey));
  const open = steps.filter((step) => !done.has(stepKey(step)));
  // Every setting is checked before the first is run: a typing error must not wait for an hour of results.
  const planned = new Map<Step, readonly SitePlan[]>();
  for (const step of open) {
    planned.set(step, await sitePlans(sweep, step));
  }
  const report = (message: string, part: number): void =>
    progress({ message, fraction: (steps.length - open.length + part) / (steps.length + 1), rows: withFront(ordered(rows, steps)) });
  if (open.length > 0) {
    await runSteps(sweep, open, planned, rows, report);
  }
  return withFront(ordered(rows, steps));
}

async function runSteps(
  sweep: Sweep, open: readonly Step[], planned: ReadonlyMap<Step, readonly SitePlan[]>, rows: SweepRow[], report: (message: string, part: number) => void,
): Promise<void> {
  const { model, dense, samples, length, engine, sessions, device } = sweep;
  const runner = await ModelRunner.create({ graph: await model.graph(), sessions, engine, filters: dense, maxLength: length, threads: device.threads });
  try {
    const meter = await LossMeter.create(runner, dense, samples, length, model.vocabularySize, (n) => report(`dense: sample ${n} of ${samples.length}`, n / samples.length));
    const times = new SiteTimes(engine, length, device.threads);
    for (const [index, step] of open.entries()) {
      const row = await runStep(sweep, step, planned.get(step)!, meter, times, (part, what) => report(`${step.label}: ${what}`, 1 + index + part));
      rows.push(row);
      await sweep.journal.add(row);
    }
  } finally {
    await runner.dispose();
  }
}

async function runStep(
  sweep: Sweep, step: Step, plans: readonly SitePlan[], meter: LossMeter, times: SiteTimes, report: (part: number, what: string) => void,
): Promise<SweepRow> {
  const { model, engine, samples } = sweep;
  const { name, setting, sites, label } = step;
  const masked = new Map<string, SiteFilter>();
  const recausalised = new Map<string, SiteFilter>();
  const leaks = plans.some(({ masks }) => masks.some(({ frequency, partial }) => frequency && !partial));
  for (const { site: id, masks } of plans) {
    report(0, `masking ${id}`);
    const site = model.sites.find((candidate) => candidate.id === id)!;
    masked.set(id, await siteFilter(model, site, masks, engine, { recausalise: false }));
    if (leaks) recausalised.set(id, await siteFilter(model, site, masks, engine, { recausalise: true }));
  }
  const runs = leaks ? 2 : 1;
  const sample = (first: number) => (n: number): void => report((first + n / samples.length) / runs, `sample ${n} of ${samples.length}${first > 0 ? ', re-causalised' : ''}`);
  const maskedLoss = await meter.loss(masked, sample(0));
  const recausalisedLoss = leaks ? await meter.loss(recausalised, sample(1)) : maskedLoss;
  const convolutions = await convolutionTimes(sweep, masked, times);
  const measures = [...masked.values()].map((filter) => filter.measures);
  return {
    mask: name, sites: sweep.eachSite ? sites[0] : 'all', key: stepKey(step), label, setting, dense: meter.denseLoss, masked: maskedLoss, recausalised: recausalisedLoss,
    speedup: convolutions.dense_ms / convolutions.masked_ms, convolutions,
    filterError: Math.max(...measures.map((m) => m.filterError)), leak: Math.max(...measures.map((m) => m.leak)),
    keptBins: mean(measures.map((m) => m.keptBins)), keptTaps: mean(measures.map((m) => m.keptTaps)), pareto: false,
  };
}

/** Times of all long convolutions of the model, of which some are masked. */
async function convolutionTimes({ dense }: Sweep, masked: ReadonlyMap<string, SiteFilter>, times: SiteTimes): Promise<SweepRow['convolutions']> {
  const sum = { dense_ms: 0, masked_ms: 0 };
  for (const [id, filter] of dense) {
    const reference = (await times.compare(filter, filter)).dense_ms;
    const other = masked.get(id);
    // As a ratio to the dense time of the same measurement: the machine may have been busier then.
    const pair = other && await times.compare(filter, other);
    sum.dense_ms += reference;
    sum.masked_ms += pair ? (reference * pair.masked_ms) / pair.dense_ms : reference;
  }
  return sum;
}

function stepsOf({ settings, sites, eachSite, symmetry }: Sweep): Step[] {
  return settings.flatMap((setting) => {
    const name = settingName(setting, symmetry);
    return eachSite ? sites.map((site) => ({ name, setting, sites: [site], label: `${name} at ${site}` })) : [{ name, setting, sites, label: name }];
  });
}

const stepKey = ({ name, sites }: Step): string => `${name} ${sites.join()}`;
const rowKey = (row: SweepRow): string => row.key;

/** The masks of a step, made and checked as `plan` does. */
async function sitePlans({ model, fingerprint, symmetry, engine }: Sweep, { setting, sites }: Step): Promise<readonly SitePlan[]> {
  const wantsSymmetry = setting.lowpass !== undefined || setting.blocks !== undefined || setting.comb !== undefined;
  const request = { model: model.path, planPath: `${model.file.path}.json`, ...setting, ...(wantsSymmetry && { symmetry }) };
  const plan = await makePlan(model, request, engine, fingerprint);
  return plan.sites.filter(({ site }) => sites.includes(site));
}

/** In the order of the steps, however the rows were found. */
function ordered(rows: readonly SweepRow[], steps: readonly Step[]): SweepRow[] {
  const place = new Map(steps.map((step, index) => [stepKey(step), index]));
  return rows.filter((row) => place.has(row.key)).sort((a, b) => place.get(a.key)! - place.get(b.key)!);
}

function withFront(rows: readonly SweepRow[]): SweepRow[] {
  const front = paretoFront(rows.map((row) => ({ speedup: row.speedup, loss: judgedLoss(row) })));
  return rows.map((row, i) => ({ ...row, pareto: front[i] }));
}

/** Change of the loss in nats per token, of the worse of the two forms: a leak must not make a mask look good. */
export const judgedLoss = ({ masked, recausalised }: Pick<SweepRow, 'masked' | 'recausalised'>): number =>
  Math.max(masked.nllDifference.mean, recausalised.nllDifference.mean);

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
