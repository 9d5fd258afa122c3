import { UserError } from '../errors';

/** What a prepared site allows. */
export interface LengthLimit {
  /** Longest input, in samples. */
  readonly maxLength: number;
  /** Runs at maxLength only. */
  readonly circular: boolean;
}

/** Throws UserError when an input of `length` samples is longer than the runner or a site's filter is made for. */
export function checkRunLength(length: number, runnerLimit: number, sites: ReadonlyMap<string, LengthLimit>): void {
  const limits = [{ what: 'the runner', limit: runnerLimit }];
  for (const [site, { maxLength, circular }] of sites) {
    limits.push({ what: `the filter of site ${site}`, limit: maxLength });
    if (circular && length !== maxLength) {
      throw new UserError(`The input has ${length} samples, but the circular filter of site ${site} was prepared for exactly ${maxLength}.`);
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
