import type { SiteFilter } from './site-filter';

/**
 * Longest input, in samples, that a site's filter is meant for; Infinity where every part is partial. A part that a partial mask cut is
 * known to be 0 beyond its taps, and so is right at any length; so is a finite one. A full-length filter says nothing about lags beyond its taps, nor does a
 * re-causalised one beyond the taps of its grid; a grid filter wraps around beyond half its grid. A circular filter goes around an input
 * of any length that holds it.
 */
export function longestInput({ site, parts, measures }: SiteFilter): number {
  return Math.min(...parts.map(({ mode, filterLength }) => {
    if (mode === 'grid') return filterLength / 2;
    const partial = site.finite === true || (filterLength < site.taps && measures.keptTaps < 1);
    return mode === 'circular' || partial ? Infinity : filterLength;
  }));
}
