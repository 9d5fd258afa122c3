import type { Engine, MaskFilterRequest, MaskedFilter } from '../engine/engine';
import { UserError } from '../errors';
import type { LongConvModel, Site } from '../families/model';
import { filterColumns } from '../families/site-shape';
import { lagWeights, ringLagWeights } from '../masks/partial';
import { effectiveGain } from '../masks/symmetry';
import { embeddedSiteFilter } from './baked';
import { channelRanges, filterForm } from './channel-ranges';
import type { MaskedRange } from './channel-ranges';
import { energyOf, MeasureSums } from './measures';
import type { ChannelMask } from './plan';
import { laidOut, lagsOnRing, readLags } from './ring';
import type { FilterPart, MaskMeasures, SiteFilter } from './site-filter';

/** Filter elements that are in work at a time, so memory is that of the result plus a constant. */
const CHUNK_ELEMENTS = 2 ** 25;

export interface SiteFilterOptions {
  /** Zero the negative lags that frequency masks put energy at. */
  readonly recausalise: boolean;
}

/**
 * A site's filter under masks that fit it (see checkPlan): frequency mask first, then lag weights, range by range. Without
 * masks it is the model's own filter, or what an earlier surgery left in the file.
 */
export async function siteFilter(
  model: LongConvModel, site: Site, masks: readonly ChannelMask[], engine: Engine, options: SiteFilterOptions,
): Promise<SiteFilter> {
  if (site.embedded !== undefined && masks.length === 0) {
    return requireFinite(model, await embeddedSiteFilter(model, site, site.embedded, options.recausalise));
  }
  const sums = new MeasureSums();
  const parts: FilterPart[] = [];
  for (const range of channelRanges(masks, site.channels)) {
    parts.push(await filterPart(model, site, range, engine, options.recausalise, sums));
  }
  return requireFinite(model, { site, parts, measures: sums.measures() });
}

/** Every result of a model with such a filter would be NaN, and so every error of a mask. */
function requireFinite(model: LongConvModel, filter: SiteFilter): SiteFilter {
  if (Number.isFinite(filter.measures.filterError)) return filter;
  throw new UserError(
    `The filter of ${filter.site.id} in ${model.name} has values that are not finite numbers (NaN or infinite), so the model has no results that masks could be judged by.`,
    'Check the weights and the options of the model, or get the file again.',
  );
}

/** Filters of some channels of a site: rows [channels.length, filterColumns(site)]. */
export interface ChannelRows {
  readonly channels: readonly number[];
  readonly rows: Float32Array;
}

/** Measures of masks over the given channels of a site: the live figures of the editor. What is kept is counted over all channels. */
export async function measureMasks(
  site: Site, masks: readonly ChannelMask[], pieces: Iterable<ChannelRows> | AsyncIterable<ChannelRows>, engine: Engine,
): Promise<MaskMeasures> {
  const sums = new MeasureSums();
  const ranges = channelRanges(masks, site.channels);
  for (const { channels: [first, end], mask } of ranges) {
    sums.addKept(mask, end - first, site);
  }
  for await (const piece of pieces) {
    await addPiece(sums, site, ranges, piece, engine);
  }
  return sums.measures();
}

async function addPiece(sums: MeasureSums, site: Site, ranges: readonly MaskedRange[], { channels, rows }: ChannelRows, engine: Engine): Promise<void> {
  const columns = filterColumns(site);
  for (const { channels: [first, end], mask } of ranges) {
    const sampled = channels.flatMap((channel, row) => (channel >= first && channel < end ? [row] : []));
    if (sampled.length === 0) {
      continue;
    }
    const { filter, width } = laidOut(chosenRows(rows, sampled, columns), sampled.length, site, mask?.frequency?.grid);
    if (mask === undefined) {
      sums.addUnchanged(energyOf(filter));
    } else {
      const result = await engine.maskFilter({ ...maskRequest(mask, site, width), filter, channels: sampled.length, taps: width, want: 'none' });
      sums.addEnergies(result, site.direction === 'causal');
    }
  }
}

/** The chosen rows, ascending, of [*, columns]; the array itself where all are chosen. */
function chosenRows(rows: Float32Array, chosen: readonly number[], columns: number): Float32Array {
  if (chosen.length * columns === rows.length) {
    return rows;
  }
  const copy = new Float32Array(chosen.length * columns);
  chosen.forEach((row, i) => copy.set(rows.subarray(row * columns, (row + 1) * columns), i * columns));
  return copy;
}

async function filterPart(
  model: LongConvModel, site: Site, { channels, mask }: MaskedRange, engine: Engine, recausalise: boolean, sums: MeasureSums,
): Promise<FilterPart> {
  const form = filterForm(mask, site, recausalise);
  const [first, end] = channels;
  const rows = new Float32Array((end - first) * form.filterLength);
  const step = Math.max(1, Math.floor(CHUNK_ELEMENTS / Math.max(filterColumns(site), mask?.frequency?.grid.fftSize ?? 0)));
  for (let begin = first; begin < end; begin += step) {
    const stop = Math.min(end, begin + step);
    const { filter, width: taps } = await readLags(model, site, mask?.frequency?.grid, [begin, stop], engine);
    let chunk = filter;
    if (mask === undefined) {
      sums.addUnchanged(energyOf(filter));
    } else {
      const want = mask.frequency !== undefined && site.direction !== 'causal' || form.mode === 'grid' ? 'grid' : 'causal';
      const result: MaskedFilter = await engine.maskFilter({ ...maskRequest(mask, site, taps), filter, channels: stop - begin, taps, want });
      sums.addEnergies(result, site.direction === 'causal');
      chunk = maskedRows(result);
    }
    const width = chunk.length / (stop - begin);
    for (let c = 0; c < stop - begin; c++) {
      const row = chunk.subarray(c * width, (c + 1) * width);
      const at = (begin - first + c) * form.filterLength;
      if (form.mode === 'bidirectional') {
        lagsOnRing(row, rows.subarray(at, at + form.filterLength));
      } else {
        rows.set(row.subarray(0, form.filterLength), at);
      }
    }
  }
  sums.addKept(mask, end - first, site);
  return { channels, masked: mask !== undefined, rows, ...form };
}

/** The part of a MaskFilterRequest that a mask determines; `columns`: row length of the filter that is masked. */
function maskRequest({ frequency, partial }: ChannelMask, site: Site, columns: number): Pick<MaskFilterRequest, 'frequency' | 'lagWeights'> {
  return {
    frequency: frequency && { fftSize: frequency.grid.fftSize, gain: effectiveGain(frequency) },
    lagWeights: partial && (site.direction === 'causal' ? lagWeights(partial) : ringLagWeights(partial, columns)),
  };
}

function maskedRows({ masked }: MaskedFilter): Float32Array {
  if (masked === undefined) {
    throw new Error('maskFilter returned no rows although they were asked for');
  }
  return masked;
}
