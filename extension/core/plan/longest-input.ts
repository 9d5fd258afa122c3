import { filterColumns, siteLength } from '../families/site-shape';
import { ownFrom } from './filter-of-run';
import type { SiteFilter } from './site-filter';

/**
 * Longest input, in samples at the site, that its filter is meant for; Infinity where every part is partial. A part that a partial mask
 * cut is known to be 0 beyond its taps, and so is right at any length; so is any part of a finite filter. A full-length filter says nothing about lags beyond its taps, nor
 * does a re-causalised one beyond the taps of its grid; a grid filter wraps around beyond half its grid. A circular filter goes around
 * an input of any length, but a masked one only around its own ring.
 */
export function longestInput({ site, parts, measures }: SiteFilter): number {
  return Math.min(...parts.map(({ mode, filterLength, masked }) => {
    switch (mode) {
      case 'grid': return filterLength / 2;
      case 'circular': return masked ? filterLength : Infinity;
      case 'bidirectional': return site.finite === true || (filterLength < filterColumns(site) && site.ringOfRun !== 'cut') ? Infinity : site.taps;
      case 'causal': return site.finite === true || (filterLength < site.taps && measures.keptTaps < 1) ? Infinity : filterLength;
    }
  }));
}

/**
 * Shortest input, in samples at the site, on which a filter that was prepared for runs of `length` is right: `length` itself where the filter's
 * lags depend on it, as those of circular filters do, and of filters that have other ones on short inputs (Site.ringOfRun).
 */
function shortestInput({ site, parts }: SiteFilter, length: number): number {
  return site.direction === 'circular' ? length : Math.min(length, Math.max(...parts.map((part) => ownFrom(site, part))));
}

/** The same in samples of the model's input, for runs of `length` of those, which are `samples` at the site. */
export function shortestRun(filter: SiteFilter, length: number, samples = siteLength(filter.site, length)): number {
  const shortest = shortestInput(filter, samples);
  return shortest > 1 && shortest === samples ? length : Math.floor((shortest - 1) / (filter.site.rate ?? 1)) + 1;
}

/** The single length, in samples at the site, of a circular filter that is masked; undefined for any other. */
export function onlyLength({ site, parts }: SiteFilter): number | undefined {
  return site.direction === 'circular' && parts.some(({ masked }) => masked) ? site.taps : undefined;
}
