import { UserError } from '../errors';
import { inputLength, siteLength } from '../families/site-shape';
import { longestInput, onlyLength, shortestRun } from '../plan/longest-input';
import type { SiteFilter } from '../plan/site-filter';

/** What a prepared site allows. */
export interface LengthLimit {
  /** In samples of the model's input. */
  readonly maxLength: number;
  /** On shorter inputs the filter would be another one. */
  readonly minLength: number;
}

/**
 * Limits of a site in a runner for inputs of at most `runnerLimit` samples, and `samples`, the longest signal that its convolution will see. `siteSamples`:
 * samples at the site for such an input, where the graph says so.
 * Throws UserError for a filter that is bound to another length.
 */
export function siteLimit(filter: SiteFilter, runnerLimit: number, siteSamples = siteLength(filter.site, runnerLimit)): LengthLimit & { readonly samples: number } {
  const wanted = siteSamples;
  const only = onlyLength(filter);
  if (only !== undefined && wanted !== only) {
    throw new UserError(
      `The masks of site ${filter.site.id} are for inputs of exactly ${inputLength(filter.site, only)} samples, not ${runnerLimit}: at another length its filter is another one.`,
      `Run it on ${inputLength(filter.site, only)} samples.`);
  }
  const longest = longestInput(filter);
  const samples = Math.min(wanted, longest);
  const maxLength = longest < wanted ? inputLength(filter.site, longest) : runnerLimit;
  return { samples, maxLength, minLength: shortestRun(filter, maxLength, samples) };
}

/** Throws UserError when an input of `length` samples is longer than the runner or a site's filter is made for, or shorter than a filter is prepared for. */
export function checkRunLength(length: number, runnerLimit: number, sites: ReadonlyMap<string, LengthLimit>): void {
  const limits = [{ what: 'the runner', limit: runnerLimit }];
  for (const [site, { minLength, maxLength }] of sites) {
    limits.push({ what: `the filter of site ${site}`, limit: maxLength });
    const exact = minLength === maxLength;
    if (exact ? length !== maxLength : length < minLength) {
      throw new UserError(`The input has ${length} samples, but the filter of site ${site} was prepared for ${exact ? 'exactly' : 'at least'} ${minLength}.`);
    }
  }
  const tight = limits.reduce((a, b) => (b.limit < a.limit ? b : a));
  if (length > tight.limit) {
    throw new UserError(
      `The input has ${length} samples, but ${tight.what} is made for at most ${tight.limit}.`,
      'Use a shorter input, or cut every filter with a partial mask: partial filters run on inputs of any length.',
    );
  }
}
