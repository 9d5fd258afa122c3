import type { Site } from '../families/model';
import type { FilterForm } from './channel-ranges';
import type { FilterPart, SiteFilter } from './site-filter';

/** Shortest input, in samples at the site, on which no lag of a part acts but its own ones; see Site.ringOfRun. */
export function ownFrom({ ringOfRun, taps }: Pick<Site, 'ringOfRun' | 'taps'>, { mode, filterLength }: FilterForm): number {
  return ringOfRun === undefined ? 1 : mode === 'causal' ? filterLength : taps;
}

/**
 * The filter as it acts on inputs of exactly `length` samples at the site. Where the original code has another filter on such short inputs
 * (Site.ringOfRun), it is that one, which is an ordinary bidirectional filter of `length` taps; otherwise the filter itself. Masks act on
 * the filter of the trained length, so what they leave is what goes on the ring: as it would if the original code read it from its weights.
 */
export function filterOfRun(filter: SiteFilter, length: number): SiteFilter {
  const { site, parts } = filter;
  if (parts.every((part) => length >= ownFrom(site, part))) return filter;
  return { ...filter, site: { ...site, direction: 'bidirectional', taps: length, ringOfRun: undefined }, parts: parts.map((part) => partOfRun(site, part, length)) };
}

/** The form of such a part, for predictions. */
export function formOfRun<Form extends FilterForm>(site: Pick<Site, 'ringOfRun' | 'taps'>, form: Form, length: number): Form {
  return length >= ownFrom(site, form) ? form : { ...form, mode: 'bidirectional', filterLength: 2 * length, reach: undefined, grid: undefined };
}

function partOfRun(site: Site, part: FilterPart, length: number): FilterPart {
  const form = formOfRun(site, part, length);
  if (form === part) return part;
  const columns = form.filterLength;
  const count = part.channels[1] - part.channels[0];
  const rows = new Float32Array(count * columns);
  const negative = negativeLags(site, length);
  for (let row = 0; row < count; row++) {
    const at = (lag: number): number => valueAt(part, row, lag);
    for (let lag = 0; lag < length; lag++) rows[row * columns + lag] = at(lag);
    for (let lag = 1; lag < length; lag++) rows[(row + 1) * columns - lag] = negative(at, lag);
  }
  return { ...form, rows };
}

/** What acts at lag -j (1 <= j < n) on the ring of 2n samples: there, that is the place of lag 2n - j. */
function negativeLags({ ringOfRun, direction, taps }: Site, n: number): (at: (lag: number) => number, j: number) => number {
  if (ringOfRun === 'cut') {
    // Column 2n - j of the row of 2 taps columns.
    return (at, j) => at(2 * n - j < taps ? 2 * n - j : 2 * n - j - 2 * taps);
  }
  // The half of the negative lags begins at column n instead of column `taps`; a causal filter has it only from a mask, which moves nothing.
  const moved = direction === 'bidirectional' ? taps - n : 0;
  return (at, j) => at(2 * n - j) + at(-j - moved);
}

/** A part's value at a lag on either side of 0; 0 where it has none. */
function valueAt({ mode, filterLength, rows }: FilterPart, row: number, lag: number): number {
  const half = mode === 'causal' ? filterLength : filterLength / 2;
  if (lag >= half || (lag < 0 && (mode === 'causal' || -lag > half))) return 0;
  return rows[row * filterLength + (lag < 0 ? filterLength + lag : lag)];
}
