import type { Engine } from '../../core/engine/engine';
import { kernelForm } from '../../core/engine/kernel-form';
import { filterColumns, siteLength } from '../../core/families/site-shape';
import { measureMasks } from '../../core/plan/apply';
import { channelRanges, filterForm } from '../../core/plan/channel-ranges';
import type { Site } from '../../core/families/model';
import type { ChannelMask } from '../../core/plan/plan';
import type { Preview, PreviewRequest } from '../../core/protocol/kernel-host';
import { sampleChannels, type FilterStore } from '../views/filter-store';

/** Taps that one preview transforms at most, over all sampled channels: keeps a drag fluid at any size. */
const TAP_BUDGET = 1 << 18;
/** A predicted speed-up below this is not worth having, so the user is told what would be. */
const WORTH_HAVING = 1.05;

/** Live measures of masks that are being drawn. */
export async function preview(store: FilterStore, request: PreviewRequest, engine: Engine): Promise<Preview> {
  const { site } = store;
  const affordable = Math.max(1, Math.floor(TAP_BUDGET / filterColumns(site)));
  const sampled = sampleChannels(site.channels, Math.min(request.maxChannels, affordable));
  const measures = await measureMasks(site, request.masks, sampled, await store.rows(sampled), engine);
  const predict = (masks: readonly ChannelMask[]): { seconds: number; executed: number; algorithms: string } => {
    const length = siteLength(site, request.length);
    let seconds = 0;
    let executed = 0;
    const algorithms = new Set<string>();
    for (const { channels: [first, end], mask } of channelRanges(masks, site.channels)) {
      const kernel = kernelForm(engine, { channels: [first, end], ...filterForm(mask, site, false) }, length, site.ringOfRun);
      const prediction = engine.predict(kernel.spec, 1, kernel.spec.maxLength, engine.devices().cpu.threads);
      seconds += prediction.seconds;
      executed += prediction.executedFraction * ((end - first) / site.channels);
      algorithms.add(prediction.algorithm);
    }
    return { seconds, executed, algorithms: [...algorithms].join(' + ') };
  };
  const masked = predict(request.masks);
  const predictedSpeedup = predict([]).seconds / masked.seconds;
  return {
    measures, sampledChannels: sampled.length, channels: site.channels, predictedSpeedup,
    kernel: `${masked.algorithms}, ${Math.round(100 * masked.executed)}% of the dense arithmetic`,
    advice: request.masks.length && predictedSpeedup < WORTH_HAVING ? advice(request.masks, site) : undefined,
  };
}

function advice(masks: readonly ChannelMask[], { direction }: Pick<Site, 'direction'>): string {
  if (direction === 'circular' && masks.some(({ frequency }) => frequency)) {
    return 'A frequency mask saves no time on a circular convolution, whose kernels compute the whole ring. A cut to few lags does.';
  }
  return masks.some(({ frequency, partial }) => frequency && !partial)
    ? 'This pattern saves no time on this kernel: it drops bins from every comb row. Dropping whole comb rows (n1) is skipped.'
    : 'This cut saves no time on this kernel: it pays when far fewer taps are kept than the input is long.';
}
