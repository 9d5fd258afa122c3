import type { Engine } from '../../core/engine/engine';
import { filterColumns } from '../../core/families/site-shape';
import { measureMasks } from '../../core/plan/apply';
import type { ChannelRows } from '../../core/plan/apply';
import type { MaskMeasures } from '../../core/plan/site-filter';
import type { MeasureRequest } from '../../core/protocol/kernel-host';
import type { FilterStore } from '../views/filter-store';

/** Taps that are transformed before it is looked whether anybody still wants the result: some ten milliseconds of work. */
const PIECE_TAPS = 1 << 18;

/** Measures of masks over all channels of a site, a few at a time; null as soon as newer masks of it are asked about. */
export async function measure(store: FilterStore, { masks }: Pick<MeasureRequest, 'masks'>, engine: Engine): Promise<MaskMeasures | null> {
  const { site } = store;
  const superseded = store.newQuestion();
  // Two channels share a transform, so every thread gets at least two.
  const step = Math.max(2 * engine.devices().cpu.threads, Math.floor(PIECE_TAPS / filterColumns(site)));
  async function* pieces(): AsyncGenerator<ChannelRows> {
    for (let first = 0; first < site.channels && !superseded(); first += step) {
      const end = Math.min(site.channels, first + step);
      yield { channels: Array.from({ length: end - first }, (_, i) => first + i), rows: await store.stretch(first, end) };
    }
  }
  const measures = await measureMasks(site, masks, pieces(), engine);
  return superseded() ? null : measures;
}
