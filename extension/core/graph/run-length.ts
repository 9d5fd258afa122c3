import { UserError } from '../errors';
import { inputLength, siteLength } from '../families/site-shape';
import { boundToLength, longestInput, onlyLength } from '../plan/longest-input';
import type { SiteFilter } from '../plan/site-filter';

/** What a prepared site allows. */
export interface LengthLimit {
  /** In samples of the model's input. */
  readonly maxLength: number;
  /** Runs at maxLength only. */
  readonly exact: boolean;
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
  return { samples: Math.min(wanted, longest), maxLength: longest < wanted ? inputLength(filter.site, longest) : runnerLimit, exact: boundToLength(filter) };
}

/** Throws UserError when an input of `length` samples is longer than the runner or a site's filter is made for. */
export function checkRunLength(length: number, runnerLimit: number, sites: ReadonlyMap<string, LengthLimit>): void {
  const limits = [{ what: 'the runner', limit: runnerLimit }];
  for (const [site, { maxLength, exact }] of sites) {
    limits.push({ what: `the filter of site ${site}`, limit: maxLength });
    if (exact && length !== maxLength) {
      throw new UserError(`The input has ${length} samples, but the filter of site ${site} was prepared for exactly ${maxLength}.`);
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
