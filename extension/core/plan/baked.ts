import { UserError } from '../errors';
import type { EmbeddedFilter, LongConvModel, Site } from '../families/model';
import { filterColumns } from '../families/site-shape';
import { channelRanges, filterForm } from './channel-ranges';
import { energyOf, MeasureSums } from './measures';
import type { FilterPart, SiteFilter } from './site-filter';

/**
 * How a masked filter lies in a baked export, and how it is found again. One tensor per site, [H, W] float32: each row holds
 * the row of its channel's FilterPart bit for bit, then zeros. W is the longest row where frequency masks keep their
 * negative lags (N then, and the export is `circular`), otherwise the columns of the site's own filter. The embedded masks say which channels are
 * in which form, so re-opening gives equal parts.
 */
export interface BakedTensor {
  /** [H, W] */
  readonly shape: readonly [number, number];
  readonly circular: boolean;
  /** [H, W], row-major. */
  readonly rows: Float32Array;
}

/** Elements read at a time. */
const CHUNK_ELEMENTS = 2 ** 24;

/** The tensor that an export writes for a site's filter. */
export function bakedTensor(filter: SiteFilter, site: Site): BakedTensor {
  const circular = filter.parts.some((part) => part.mode === 'grid');
  const width = circular ? Math.max(...filter.parts.map((part) => part.filterLength)) : filterColumns(site);
  const rows = new Float32Array(site.channels * width);
  for (const { channels: [first, end], filterLength, rows: part } of filter.parts) {
    for (let c = first; c < end; c++) {
      rows.set(part.subarray((c - first) * filterLength, (c - first + 1) * filterLength), c * width);
    }
  }
  return { shape: [site.channels, width], circular, rows };
}

/**
 * The filter that an earlier surgery left in the file, exactly as stored. Its parts equal those of the plan that was
 * exported; its measures say what a frequency mask still leaks and keeps, with filterError 0 because nothing is changed now.
 */
export async function embeddedSiteFilter(
  model: LongConvModel, site: Site, embedded: EmbeddedFilter, recausalise: boolean,
): Promise<SiteFilter> {
  const width = embeddedWidth(model, site, embedded);
  const sums = new MeasureSums();
  const parts: FilterPart[] = [];
  for (const { channels, mask } of channelRanges(embedded.channelMasks, site.channels)) {
    const stored = filterForm(mask, site, !embedded.circular);
    if (stored.filterLength > width) {
      throw unreadable(model, embedded, `its rows have ${width} values, but its masks need ${stored.filterLength}`);
    }
    const form = recausalise ? filterForm(mask, site, true) : stored;
    const rows = new Float32Array((channels[1] - channels[0]) * form.filterLength);
    await forEachRow(model, embedded.tensor, width, channels, (row, channel) => {
      const lags = row.subarray(0, stored.filterLength);
      sums.addUnchanged(energyOf(lags), stored.mode === 'grid' && site.direction === 'causal' ? energyOf(lags.subarray(lags.length / 2)) : 0);
      rows.set(lags.subarray(0, form.filterLength), (channel - channels[0]) * form.filterLength);
    });
    sums.addKept(mask, channels[1] - channels[0], site);
    parts.push({ channels, masked: mask !== undefined, rows, ...form });
  }
  return { site, parts, measures: sums.measures() };
}

function embeddedWidth(model: LongConvModel, site: Site, embedded: EmbeddedFilter): number {
  const shape = model.file.tensors.get(embedded.tensor)?.shape;
  if (shape === undefined) {
    throw unreadable(model, embedded, 'it is missing');
  }
  if (shape.length !== 2 || shape[0] !== site.channels) {
    throw unreadable(model, embedded, `its shape is [${shape.join(', ')}], but ${site.id} has ${site.channels} channels`);
  }
  return shape[1];
}

function unreadable(model: LongConvModel, embedded: EmbeddedFilter, why: string): UserError {
  return new UserError(`The embedded filter ${embedded.tensor} of ${model.name} cannot be used: ${why}.`, 'Export the plan again.');
}

/** Calls `use` with each stored row [width] of the channels, reading a bounded number of them at a time. */
async function forEachRow(
  model: LongConvModel, tensor: string, width: number, [first, end]: readonly [number, number],
  use: (row: Float32Array, channel: number) => void,
): Promise<void> {
  const step = Math.max(1, Math.floor(CHUNK_ELEMENTS / width));
  for (let begin = first; begin < end; begin += step) {
    const stop = Math.min(end, begin + step);
    const values = await model.file.readFloat32(tensor, begin * width, stop * width);
    for (let c = begin; c < stop; c++) {
      use(values.subarray((c - begin) * width, (c - begin + 1) * width), c);
    }
  }
}
