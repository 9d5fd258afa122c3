import type { Engine, MaskFilterRequest, MaskedFilter } from '../engine/engine';
import { UserError } from '../errors';
import type { LongConvModel, Site } from '../families/model';
import { lagWeights } from '../masks/partial';
import { effectiveGain } from '../masks/symmetry';
import { embeddedSiteFilter } from './baked';
import { channelRanges, filterForm } from './channel-ranges';
import type { MaskedRange } from './channel-ranges';
import { energyOf, MeasureSums } from './measures';
import type { ChannelMask } from './plan';
import type { FilterPart, MaskMeasures, SiteFilter } from './site-filter';

/** Filter elements that are in work at a time, so memory is that of the result plus a constant. */
const CHUNK_ELEMENTS = 2 ** 25;

export interface SiteFilterOptions {
  /** Zero the negative lags that frequency masks put energy at. */
  readonly recausalise: boolean;
}

/**
 * A site's filter under masks that fit it (see checkPlan): frequency mask first, then lag weights, range by range. Without
 * masks it is the model's own filter, or what an earlier surgery left in the file. Throws a UserError for directions that
 * cannot be run yet.
 */
export async function siteFilter(
  model: LongConvModel, site: Site, masks: readonly ChannelMask[], engine: Engine, options: SiteFilterOptions,
): Promise<SiteFilter> {
  if (site.direction !== 'causal') {
    throw new UserError(`${site.id} is a ${site.direction} convolution, and only causal ones can be run yet.`);
  }
  if (site.embedded !== undefined && masks.length === 0) {
    return embeddedSiteFilter(model, site, site.embedded, options.recausalise);
  }
  const sums = new MeasureSums();
  const parts: FilterPart[] = [];
  for (const range of channelRanges(masks, site.channels)) {
    parts.push(await filterPart(model, site, range, engine, options.recausalise, sums));
  }
  return { site, parts, measures: sums.measures() };
}

/**
 * Measures of masks over some channels of a site: the live figures of the editor. `rows` [channels.length, site.taps] are the
 * filters of `channels`.
 */
export async function measureMasks(
  site: Site, masks: readonly ChannelMask[], channels: readonly number[], rows: Float32Array, engine: Engine,
): Promise<MaskMeasures> {
  const sums = new MeasureSums();
  for (const { channels: [first, end], mask } of channelRanges(masks, site.channels)) {
    const sampled = channels.flatMap((channel, row) => (channel >= first && channel < end ? [row] : []));
    if (sampled.length === 0) {
      continue;
    }
    const taps = mask?.frequency?.grid.taps ?? site.taps;
    const filter = new Float32Array(sampled.length * taps);
    sampled.forEach((row, i) => filter.set(rows.subarray(row * site.taps, row * site.taps + taps), i * taps));
    if (mask === undefined) {
      sums.addUnchanged(energyOf(filter));
    } else {
      sums.addEnergies(await engine.maskFilter({ ...maskRequest(mask), filter, channels: sampled.length, taps, want: 'none' }));
    }
    sums.addKept(mask, sampled.length, site.taps);
  }
  return sums.measures();
}

async function filterPart(
  model: LongConvModel, site: Site, { channels, mask }: MaskedRange, engine: Engine, recausalise: boolean, sums: MeasureSums,
): Promise<FilterPart> {
  const form = filterForm(mask, site, recausalise);
  const [first, end] = channels;
  const taps = mask?.frequency?.grid.taps ?? site.taps;
  const rows = new Float32Array((end - first) * form.filterLength);
  const request = mask === undefined ? undefined : maskRequest(mask);
  const step = Math.max(1, Math.floor(CHUNK_ELEMENTS / Math.max(taps, form.filterLength)));
  for (let begin = first; begin < end; begin += step) {
    const stop = Math.min(end, begin + step);
    const filter = await model.filter(site.id, { channels: [begin, stop], taps: [0, taps] }, engine);
    let chunk = filter;
    if (request === undefined) {
      sums.addUnchanged(energyOf(filter));
    } else {
      const want = form.mode === 'grid' ? 'grid' : 'causal';
      const result: MaskedFilter = await engine.maskFilter({ ...request, filter, channels: stop - begin, taps, want });
      sums.addEnergies(result);
      chunk = maskedRows(result);
    }
    const width = chunk.length / (stop - begin);
    for (let c = 0; c < stop - begin; c++) {
      rows.set(chunk.subarray(c * width, c * width + form.filterLength), (begin - first + c) * form.filterLength);
    }
  }
  sums.addKept(mask, end - first, site.taps);
  return { channels, masked: mask !== undefined, rows, ...form };
}

/** The part of a MaskFilterRequest that a mask determines. */
function maskRequest({ frequency, partial }: ChannelMask): Pick<MaskFilterRequest, 'frequency' | 'lagWeights'> {
  return {
    frequency: frequency && { fftSize: frequency.grid.fftSize, gain: effectiveGain(frequency) },
    lagWeights: partial && lagWeights(partial),
  };
}

function maskedRows({ masked }: MaskedFilter): Float32Array {
  if (masked === undefined) {
    throw new Error('maskFilter returned no rows although they were asked for');
  }
  return masked;
}
