import type { Site } from '../families/model';
import { filterColumns } from '../families/site-shape';
import { channelRanges, filterForm } from './channel-ranges';
import type { ChannelMask } from './plan';
import { lagsOnRing } from './ring';
import type { SiteFilter } from './site-filter';

/** Why a masked filter does not fit into the taps that its site has, or undefined where it does and so can be written back exactly. */
export function exactMisfit(site: Site, masks: readonly ChannelMask[], recausalise: boolean): string | undefined {
  for (const { mask } of channelRanges(masks, site.channels)) {
    const { mode, filterLength } = filterForm(mask, site, recausalise);
    if (mode === 'grid' && site.direction === 'causal') {
      return `the frequency mask of ${site.id} leaves energy at negative lags, for which its causal filter has no taps`;
    }
    if (mode === 'grid' && filterLength > filterColumns(site)) {
      return `the frequency mask of ${site.id} acts on a grid of ${filterLength} lags, but its filter has ${filterColumns(site)}`;
    }
  }
  return undefined;
}

/** A site's filter, for which there is no exactMisfit, as rows of the site's own shape: [H, filterColumns(site)]. */
export function exactRows({ site, parts }: SiteFilter): Float32Array {
  const columns = filterColumns(site);
  const rows = new Float32Array(site.channels * columns);
  for (const { channels, mode, filterLength, rows: part } of parts) {
    for (let channel = channels[0]; channel < channels[1]; channel++) {
      const from = part.subarray((channel - channels[0]) * filterLength, (channel - channels[0] + 1) * filterLength);
      const to = rows.subarray(channel * columns, (channel + 1) * columns);
      if (mode === 'causal' || mode === 'circular') to.set(from);
      else lagsOnRing(from, to);
    }
  }
  return rows;
}
