import type { LongConvModel, Site } from '../families/model';
import type { JsonPath } from './json-text';
import { nearest } from './nearest';
import type { ChannelMask, MonarchGrid, SurgeryPlan } from './plan';
import type { PlanProblem } from './problem';
import { problemError } from './problem';

/** What checking a plan needs to know of a model: a LongConvModel or its summary. */
export interface CheckedModel {
  readonly name: string;
  readonly family: string;
  readonly sites: readonly Pick<Site, 'id' | 'channels' | 'taps' | 'direction' | 'embedded'>[];
}

/**
 * Throws a UserError when a plan (as readPlan gives it) does not fit its model. The fingerprint is the caller's to compare: it
 * takes a pass over the whole model file.
 */
export function checkPlan(plan: SurgeryPlan, model: CheckedModel | LongConvModel): void {
  const [first] = modelProblems(plan, model);
  if (first !== undefined) {
    throw problemError(first);
  }
}

/**
 * Throws a UserError when inputs of `length` tokens do not fit the grid of a frequency mask: on N points only inputs of up to
 * N/2 are a linear convolution, and on another grid the same mask would mean other frequencies.
 */
export function checkRunLength(plan: SurgeryPlan, length: number): void {
  plan.sites.forEach(({ masks }, i) => masks.forEach(({ frequency, partial }, j) => {
    const longest = frequency === undefined || partial !== undefined ? Infinity : frequency.grid.fftSize / 2;
    if (length > longest) {
      throw problemError({
        path: ['sites', i, 'masks', j, 'frequency', 'grid', 'fftSize'],
        message: `${2 * longest} points take inputs of up to ${longest} tokens, but the run has ${length}`,
        hint: `Use windows of at most ${longest} tokens, or make the plan with an FFT size of at least ${2 * length}.`,
      });
    }
  }));
}

/** Everything in a plan that does not fit the model. */
export function modelProblems(plan: SurgeryPlan, model: CheckedModel): PlanProblem[] {
  if (plan.model.family !== model.family) {
    return [{
      path: ['model', 'family'],
      message: `the plan is for ${plan.model.family}, but ${model.name} is ${model.family}`,
      hint: 'Point model.path at the model that the plan was made for, or make a new plan.',
    }];
  }
  return plan.sites.flatMap(({ site: id, masks }, i): PlanProblem[] => {
    const site = model.sites.find((known) => known.id === id);
    return site === undefined ? [unknownSite(id, i, model)] : siteProblems(site, masks, i);
  });
}

function unknownSite(id: string, i: number, model: CheckedModel): PlanProblem {
  const ids = model.sites.map((site) => site.id);
  const meant = nearest(id, ids);
  return {
    path: ['sites', i, 'site'],
    message: `${model.name} has no site ${id}${meant === undefined ? '' : ` (perhaps ${meant} is meant)`}`,
    hint: ids.length === 0 ? undefined : `Its sites are ${listed(ids)}.`,
  };
}

function siteProblems(site: CheckedModel['sites'][number], masks: readonly ChannelMask[], i: number): PlanProblem[] {
  if (site.embedded?.circular === true) {
    return [{
      path: ['sites', i, 'site'],
      message: `${site.id} already holds a frequency-masked filter with negative lags, which cannot be masked again`,
      hint: 'Make the plan for the original model, or for an export that was re-causalised.',
    }];
  }
  return masks.flatMap(({ channels, frequency, partial }, j): PlanProblem[] => {
    const path = ['sites', i, 'masks', j] as const;
    const problems: PlanProblem[] = [];
    if (channels !== undefined && channels[1] > site.channels) {
      problems.push({ path: [...path, 'channels'], message: `the range [${channels.join(', ')}) goes beyond the ${site.channels} channels of ${site.id}` });
    }
    if (frequency !== undefined) {
      problems.push(...gridProblems(site, frequency.grid, [...path, 'frequency', 'grid']));
    }
    if (frequency !== undefined && frequency.grid.taps > site.taps) {
      problems.push({ path: [...path, 'frequency', 'grid', 'taps'], message: `${frequency.grid.taps} taps, but the filter of ${site.id} has only ${site.taps}` });
    }
    if (partial !== undefined && partial.taps > site.taps) {
      problems.push({ path: [...path, 'partial', 'taps'], message: `${partial.taps} taps, but the filter of ${site.id} has only ${site.taps}` });
    }
    return problems;
  });
}

/** A circular convolution is masked on its own ring, any other on a grid that its filter fills at most half of. */
function gridProblems(site: CheckedModel['sites'][number], { fftSize, taps }: MonarchGrid, path: JsonPath): PlanProblem[] {
  if (site.direction === 'circular') {
    return fftSize === site.taps && taps === site.taps ? [] : [{
      path: [...path, 'fftSize'],
      message: `${site.id} is a circular convolution on ${site.taps} points, so its grid must have ${site.taps} points and taps, not ${fftSize} and ${taps}`,
      hint: 'On a ring that is no power of two, use a partial mask.',
    }];
  }
  return taps <= fftSize / 2 ? [] : [{
    path: [...path, 'taps'],
    message: `${taps} taps fill more than half of the ${fftSize} points, but ${site.id} is not a circular convolution`,
    hint: 'Use a larger fftSize or fewer taps.',
  }];
}

/** Site ids for a sentence: all of few, the first and the last of many. */
export function listed(ids: readonly string[]): string {
  return ids.length <= 8 ? ids.join(', ') : `${ids.slice(0, 6).join(', ')}, ... ${ids[ids.length - 1]} (${ids.length} sites)`;
}
