import * as path from 'node:path';
import { gridRequest, siteLength } from '../../core/families/site-shape';
import { predictSeconds } from '../../core/engine/site-convolution';
import { UserError } from '../../core/errors';
import { ModelRunner } from '../../core/graph/runtime';
import { describeMask } from '../../core/masks/describe';
import { siteFilter } from '../../core/plan/apply';
import type { SampleSet } from '../../core/data/samples';
import type { ChannelMask, SurgeryPlan } from '../../core/plan/plan';
import { relativeModelPath } from '../../core/plan/read';
import type { SiteFilter } from '../../core/plan/site-filter';
import type { ReportProgress } from '../../core/protocol/rpc';
import type { Loss, SearchRequest, SearchResult, SearchTry } from '../../core/protocol/search';
import { candidateMasks } from '../../core/search/candidates';
import { LossMeter, spreadWindows } from '../../core/search/loss-meter';
import { MaskSearch } from '../../core/search/search';
import type { Choice, SearchLab, Trial } from '../../core/search/search';
import { SiteTimes } from '../../core/search/site-times';
import type { ValidationReport } from '../../core/validation/report';
import { validate } from '../../core/validation/validate';
import { host } from '../host';
import { openTrial } from './trial';
import type { TrialSetup } from './trial';

/** Windows that the search itself runs when the request names no number; what it finds is checked on all of them. */
const SEARCH_WINDOWS = 32;
const DEFAULT_TRIES = 24;
/** How often the budget is tightened when the plan misses it on all of the data. */
const MOST_CHECKS = 4;
/** Filter elements that are kept for a second use: 512 MB. */
const KEPT_ELEMENTS = 2 ** 27;
/** Shares of the progress bar. */
const SITES_END = 0.45, JOINT_END = 0.75, CHECK_END = 0.85;

/** The fastest masks within a budget of perplexity, as a plan with its validation on all of the data. */
export async function search(request: SearchRequest, progress: ReportProgress): Promise<SearchResult> {
  if (!(request.budget > 0 && request.budget <= 1000)) {
    throw new UserError(`A budget of ${request.budget}% is not one that can be searched for.`, 'Give a percentage above 0, e.g. 1 for at most 1% worse perplexity.');
  }
  progress({ message: 'opening the model', fraction: 0 });
  const setup = await openTrial(request);
  const { engine, sessions } = host();
  const { model, data: { length }, dense, device } = setup;
  const runner = await ModelRunner.create({ graph: await model.graph(), sessions, engine, filters: dense, maxLength: length, threads: device.threads });
  try {
    return await new Finder(request, setup, runner, progress).find();
  } finally {
    await runner.dispose();
  }
}

class Finder {
  private readonly tried: SearchTry[] = [];
  private readonly filters = new Map<string, SiteFilter>();
  private readonly times: SiteTimes;
  private fraction = 0;
  private message = '';
  /** Loss on the search's windows of the masks that it accepted last. */
  private lastAccepted = 0;

  constructor(
    private readonly request: SearchRequest, private readonly setup: TrialSetup, private readonly runner: ModelRunner, private readonly progress: ReportProgress,
  ) {
    this.times = new SiteTimes(host().engine, setup.data.length, setup.device.threads);
  }

  async find(): Promise<SearchResult> {
    const { setup, request } = this;
    const windows = spreadWindows(setup.data.samples, request.windows ?? SEARCH_WINDOWS);
    const meter = await this.meter(windows, 0, 0.05);
    const lab = this.lab(meter);
    const budget = Math.log1p(request.budget / 100);
    const tries = request.tries ?? DEFAULT_TRIES;
    const search = new MaskSearch(lab, { budget, tries, onTrial: (trial) => this.keep(trial, tries) });
    await search.measureSites();
    const masks = await this.findOnAll(search, budget, windows.length === setup.data.samples.length ? meter : undefined);
    const plan = this.plan(masks);
    const report = await this.validate(plan);
    const change = percentOf(Math.max(0, ...[report.masked, report.recausalised].map((quality) => quality?.nllDifference.mean ?? 0)));
    const speedup = await this.speedup(report);
    return { plan, report, tried: this.tried, budget: request.budget, change, speedup, searchWindows: windows.length, verdict: verdict(plan, request.budget, change, speedup) };
  }

  /** Searches, checks on all of the data, and searches again with less where the sample of windows had been too kind. */
  private async findOnAll(search: MaskSearch, budget: number, onAll: LossMeter | undefined): Promise<Choice> {
    let allowed = budget;
    let whole = onAll;
    for (let check = 0; check < MOST_CHECKS; check++) {
      const masks = await search.find(allowed);
      if (masks.size === 0) return masks;
      this.at(`checking on ${this.setup.data.samples.length} samples`, JOINT_END);
      whole ??= await this.meter(this.setup.data.samples, JOINT_END, CHECK_END);
      const sampled = this.lastAccepted;
      const loss = await this.loss(whole, masks);
      const accepted = loss <= budget;
      this.add({ phase: 'check', masks: named(masks), change: percentOf(loss), speedup: await this.speedupOf(masks), accepted });
      if (accepted) return masks;
      // The sample of windows was too kind by this factor; the next search leaves room for it.
      allowed = Math.min(0.95 * allowed, (budget * sampled) / loss);
      if (!(allowed > 0)) break;
    }
    return new Map();
  }

  private lab(meter: LossMeter): SearchLab {
    const { model, data: { length }, sites } = this.setup;
    const site = (id: string): (typeof model.sites)[number] => model.sites.find((candidate) => candidate.id === id)!;
    return {
      sites,
      candidates: (id) => candidateMasks(gridRequest(model, site(id)), siteLength(site(id), length)),
      loss: (masks) => this.loss(meter, masks),
      time: (id, mask) => this.time(id, mask),
    };
  }

  /** Of the worse of the masked and the re-causalised model: a leak must not pass for quality. */
  private async loss(meter: LossMeter, masks: Choice): Promise<number> {
    const run = async (recausalise: boolean): Promise<Loss> => {
      const changed = new Map<string, SiteFilter>();
      for (const [id, mask] of masks) changed.set(id, await this.filter(id, mask, recausalise));
      return meter.loss(changed, (n) => this.at(`${this.message.split(':')[0]}: sample ${n} of ${meter.samples.length}`, this.fraction));
    };
    const masked = await run(false);
    const leaks = [...masks.values()].some(({ frequency, partial }) => frequency && !partial);
    return Math.max(masked.nllDifference.mean, leaks ? (await run(true)).nllDifference.mean : -Infinity);
  }

  private async time(id: string, mask: ChannelMask | undefined): Promise<number> {
    const dense = this.setup.dense.get(id)!;
    const reference = (await this.times.compare(dense, dense)).dense_ms;
    if (!mask) return reference;
    const masked = await this.filter(id, mask, false);
    const { data: { length }, device } = this.setup;
    const [before, after] = [dense, masked].map((filter) => predictSeconds(host().engine, filter, 1, siteLength(filter.site, length), device.threads));
    // Where the kernels skip nothing, a faster measurement is chance.
    if (after >= before) return reference;
    // As a ratio to the dense time of the same measurement: the machine may have been busier then.
    const pair = await this.times.compare(dense, masked);
    return (reference * pair.masked_ms) / pair.dense_ms;
  }

  /** Filters are kept, up to a bound: a search comes back to the same masks. */
  private async filter(id: string, mask: ChannelMask, recausalise: boolean): Promise<SiteFilter> {
    const { model } = this.setup;
    const key = `${id} ${recausalise} ${JSON.stringify(mask)}`;
    const known = this.filters.get(key);
    if (known) return known;
    const filter = await siteFilter(model, model.sites.find((site) => site.id === id)!, [mask], host().engine, { recausalise });
    if (this.filters.size * elements(filter) > KEPT_ELEMENTS) this.filters.clear();
    this.filters.set(key, filter);
    return filter;
  }

  private meter(samples: SampleSet['samples'], from: number, to: number): Promise<LossMeter> {
    const { model, dense } = this.setup;
    return LossMeter.create(this.runner, dense, samples, model.vocabularySize,
      (n) => this.at(`dense: sample ${n} of ${samples.length}`, from + ((to - from) * n) / samples.length));
  }

  private plan(masks: Choice): SurgeryPlan {
    const { model, fingerprint } = this.setup;
    const options = Object.fromEntries(model.options.map(({ name, value }) => [name, value]));
    return {
      version: 1,
      model: { path: relativeModelPath(model.file.path, this.request.planPath), family: model.family, fingerprint, ...(model.options.length > 0 && { options }) },
      sites: model.sites.flatMap(({ id }) => (masks.has(id) ? [{ site: id, masks: [masks.get(id)!] }] : [])),
    };
  }

  private async validate(plan: SurgeryPlan): Promise<ValidationReport> {
    const { model, dense, device, data } = this.setup;
    const { engine, sessions } = host();
    const filtersOf = async (recausalise: boolean): Promise<Map<string, SiteFilter>> => {
      const filters = new Map<string, SiteFilter>();
      for (const { site, masks } of plan.sites) filters.set(site, await this.filter(site, masks[0], recausalise));
      return filters;
    };
    return validate({
      model, plan, planPath: path.resolve(this.request.planPath), length: data.length, engine, sessions, device, data,
      filters: { dense, masked: await filtersOf(false), recausalised: await filtersOf(true) },
    }, ({ message, fraction }) => this.at(`validating: ${message}`, CHECK_END + (1 - CHECK_END) * fraction));
  }

  /** Of all long convolutions, by the times of the validation; sites without a mask by the search's. */
  private async speedup(report: ValidationReport): Promise<number> {
    let [dense, masked] = [0, 0];
    for (const id of this.setup.dense.keys()) {
      const measured = report.sites.find(({ site }) => site === id);
      const alone = measured ? 0 : await this.time(id, undefined);
      dense += measured?.dense.median_ms ?? alone;
      masked += measured?.masked.median_ms ?? alone;
    }
    return dense / masked;
  }

  private async speedupOf(masks: Choice): Promise<number> {
    let [dense, masked] = [0, 0];
    for (const id of this.setup.dense.keys()) {
      dense += await this.time(id, undefined);
      masked += await this.time(id, masks.get(id));
    }
    return dense / masked;
  }

  private keep({ phase, masks, loss, speedup, accepted }: Trial, tries: number): void {
    const alone = phase === 'sensitivity';
    const share = alone ? SITES_END - this.fraction : (JOINT_END - Math.max(SITES_END, this.fraction)) * (2 / tries);
    // How many measurements there will be is not known: each takes a part of what is left of its share of the bar.
    this.fraction = alone ? this.fraction + share * (1 / (8 * this.setup.sites.length)) : Math.max(SITES_END, this.fraction) + share;
    if (accepted) this.lastAccepted = loss;
    this.add({ phase, masks: named(masks), change: percentOf(loss), speedup, accepted });
    this.at(`${alone ? 'each site alone' : 'all sites together'}: ${this.tried.length} measured`, this.fraction);
  }

  private add(entry: SearchTry): void {
    this.tried.push(entry);
  }

  private at(message: string, fraction: number): void {
    this.message = message;
    this.fraction = Math.max(this.fraction, fraction);
    this.progress({ message, fraction: this.fraction, partial: { tried: this.tried } });
  }
}

const elements = ({ parts }: SiteFilter): number => parts.reduce((sum, { rows }) => sum + rows.length, 0);
const percentOf = (loss: number): number => 100 * Math.expm1(loss);
const named = (masks: Choice): SearchTry['masks'] => [...masks].map(([site, mask]) => ({ site, mask: describeMask(mask) }));

function verdict(plan: SurgeryPlan, budget: number, change: number, speedup: number): string {
  if (plan.sites.length === 0) {
    return `No mask that makes the convolutions faster stays within ${budget}% of perplexity: the plan masks nothing. A larger budget, or longer windows, may find one.`;
  }
  const quality = change > 0 ? `perplexity rises by ${change.toPrecision(2)}%, within the budget of ${budget}%` : `perplexity does not rise (budget ${budget}%)`;
  return `The long convolutions run ${speedup.toFixed(2)} times as fast, and ${quality}.`;
}
