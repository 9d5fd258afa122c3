import { filterColumns } from '../families/site-shape';
import { lagsOnRing } from './ring';
import type { SiteFilter } from './site-filter';

/**
 * A site's filter as rows of the site's own shape, [H, filterColumns(site)], where these can hold it: then an explicit filter can be written
 * back exactly. A sentence where they cannot, because a frequency mask put energy at lags that the site has no taps for.
 */
export function exactRows(filter: SiteFilter): Float32Array | string {
  const { site, parts } = filter;
  const columns = filterColumns(site);
  const rows = new Float32Array(site.channels * columns);
  for (const { channels, mode, filterLength, rows: part } of parts) {
    if (mode === 'grid' && site.direction === 'causal') {
      return `the frequency mask of ${site.id} left energy at negative lags, for which its causal filter has no taps`;
    }
    if (mode === 'grid' && filterLength > columns) {
      return `the frequency mask of ${site.id} acts on a grid of ${filterLength} lags, but its filter has ${columns}`;
    }
    for (let channel = channels[0]; channel < channels[1]; channel++) {
      const from = part.subarray((channel - channels[0]) * filterLength, (channel - channels[0] + 1) * filterLength);
      const to = rows.subarray(channel * columns, (channel + 1) * columns);
      if (mode === 'causal' || mode === 'circular') to.set(from);
      else lagsOnRing(from, to);
    }
  }
  return rows;
}
