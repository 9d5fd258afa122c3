import type { Engine } from '../../core/engine/engine';
import { kernelForm } from '../../core/engine/kernel-form';
import { filterColumns, siteLength } from '../../core/families/site-shape';
import { measureMasks } from '../../core/plan/apply';
import { channelRanges, filterForm } from '../../core/plan/channel-ranges';
import type { Site } from '../../core/families/model';
import { formOfRun } from '../../core/plan/filter-of-run';
import type { ChannelMask } from '../../core/plan/plan';
import type { Preview, PreviewRequest } from '../../core/protocol/kernel-host';
import { energyOf, MeasureSums } from '../../core/plan/measures';
import type { MaskMeasures } from '../../core/plan/site-filter';
import { sampleChannels, type FilterStore } from '../views/filter-store';
import { maskedRow } from '../views/series';

/** Taps that one preview transforms at most, over all sampled channels: keeps a drag fluid at any size. */
const TAP_BUDGET = 1 << 18;
/** A predicted speed-up below this is not worth having, so the user is told what would be. */
const WORTH_HAVING = 1.05;
/** Fraction of the bins up to which a low-pass saves time on inputs that are long enough. */
const LOW_ENOUGH = 0.3;

/** Live measures of masks that are being drawn. */
export async function preview(store: FilterStore, request: PreviewRequest, engine: Engine): Promise<Preview> {
  const { site } = store;
  const affordable = Math.max(1, Math.floor(TAP_BUDGET / filterColumns(site)));
  const wanted = Math.min(request.maxChannels, affordable);
  store.newQuestion();
  const sampled = request.masks.length === 0 ? [] : wanted === 1 ? [Math.min(request.channel ?? 0, site.channels - 1)] : sampleChannels(site.channels, wanted);
  const measures = sampled.length === 1 ? await measureChannel(store, request.masks, sampled[0], engine)
    : await measureMasks(site, request.masks, sampled.length === 0 ? [] : [{ channels: sampled, rows: await store.rows(sampled) }], engine);
  const predict = (masks: readonly ChannelMask[]): Predicted => {
    const length = siteLength(site, request.length);
    let seconds = 0;
    let executed = 0;
    let bytes = 0;
    const algorithms = new Set<string>();
    for (const { channels: [first, end], mask } of channelRanges(masks, site.channels)) {
      const kernel = kernelForm(engine, formOfRun(site, { channels: [first, end] as const, ...filterForm(mask, site, false) }, length), length);
      const prediction = engine.predict(kernel.spec, 1, kernel.spec.maxLength, engine.devices().cpu.threads);
      seconds += prediction.seconds;
      executed += prediction.executedFraction * ((end - first) / site.channels);
      bytes += prediction.preparedBytes;
      algorithms.add(prediction.algorithm);
    }
    return { seconds, executed, bytes, algorithms: [...algorithms].join(' + ') };
  };
  const masked = predict(request.masks);
  const dense = predict([]);
  const predictedSpeedup = dense.seconds / masked.seconds;
  return {
    measures, sampledChannels: request.masks.length === 0 ? site.channels : sampled.length, channels: site.channels, predictedSpeedup, preparedBytes: { dense: dense.bytes, masked: masked.bytes },
    kernel: `${masked.algorithms}, ${Math.round(100 * masked.executed)}% of the dense arithmetic`,
    advice: request.masks.length && predictedSpeedup < WORTH_HAVING ? advice(request.masks, site) : undefined,
  };
}

interface Predicted { readonly seconds: number; readonly executed: number; readonly bytes: number; readonly algorithms: string }

/** Measures of one channel, from the same masked row that the plots show of it. */
async function measureChannel(store: FilterStore, masks: readonly ChannelMask[], channel: number, engine: Engine): Promise<MaskMeasures> {
  const { site } = store;
  const sums = new MeasureSums();
  for (const { channels: [first, end], mask } of channelRanges(masks, site.channels)) {
    sums.addKept(mask, end - first, site);
    if (channel < first || channel >= end) continue;
    if (mask) sums.addEnergies((await maskedRow(store, channel, mask, engine)).measures, site.direction === 'causal');
    else sums.addUnchanged(energyOf(await store.row(channel)));
  }
  return sums.measures();
}

function advice(masks: readonly ChannelMask[], { direction }: Pick<Site, 'direction'>): string {
  if (direction === 'circular' && masks.some(({ frequency }) => frequency)) {
    return 'A frequency mask saves no time on a circular convolution, whose kernels compute the whole ring. A cut to few lags does.';
  }
  if (masks.some(({ frequency, partial }) => frequency?.keep.kind === 'comb' && !partial)) {
    return 'This pattern saves no time on this kernel: too few comb rows are dropped, since a row is kept together with its mirror. Fewer rows are quicker.';
  }
  const keeps = masks.flatMap(({ frequency, partial }) => (frequency && !partial ? [frequency.keep] : []));
  if (keeps.length > 0 && keeps.every(keep => keep.kind === 'lowpass' && keep.fraction <= LOW_ENOUGH)) {
    return 'This low-pass saves no time on this kernel: the input is too short for a lower sampling rate to pay. A cut to few taps, or few whole comb rows (n1), may.';
  }
  return keeps.length > 0
    ? 'This pattern saves no time on this kernel: it keeps bins of every comb row, some of them high. What saves time is to keep only low frequencies (up to about 30% of the bins), or few whole comb rows (n1).'
    : 'This cut saves no time on this kernel: it pays when far fewer taps are kept than the input is long.';
}
