import { filterColumns } from '../families/site-shape';
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
      case 'bidirectional': return site.finite === true || (filterLength < filterColumns(site) && site.ringOfRun !== true) ? Infinity : site.taps;
      case 'causal': return site.finite === true || (filterLength < site.taps && measures.keptTaps < 1) ? Infinity : filterLength;
    }
  }));
}

/**
 * Whether the filter's lags depend on the input's length, so that it is prepared for one length exactly: circular filters, and those whose
 * negative lags are counted from the end of the run's ring. A masked one has the single length that longestInput gives.
 */
export const boundToLength = ({ site }: Pick<SiteFilter, 'site'>): boolean => site.direction === 'circular' || site.ringOfRun === true;

/** The single length, in samples at the site, of a filter that is bound to one and masked; undefined for any other. */
export function onlyLength(filter: SiteFilter): number | undefined {
  return boundToLength(filter) && filter.parts.some(({ masked }) => masked) ? filter.site.taps : undefined;
}
