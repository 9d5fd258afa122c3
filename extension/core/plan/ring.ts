import type { Engine } from '../engine/engine';
import type { LongConvModel, Site } from '../families/model';
import { filterColumns } from '../families/site-shape';
import type { MonarchGrid } from './plan';

/** Filter rows as a mask takes them: [rows, width]. */
export interface LaidOutRows {
  readonly filter: Float32Array;
  readonly width: number;
}

/**
 * Filter rows [count, filterColumns(site)] as a mask on a grid takes them: the lags that enter the grid, those of causal sites from lag 0
 * on, those of bidirectional ones on the whole ring of the grid. Without a grid the rows as they are.
 */
export function laidOut(rows: Float32Array, count: number, site: Site, grid: MonarchGrid | undefined): LaidOutRows {
  const columns = filterColumns(site);
  if (grid === undefined) {
    return { filter: rows, width: columns };
  }
  const width = site.direction === 'bidirectional' ? grid.fftSize : grid.taps;
  const filter = new Float32Array(count * width);
  for (let r = 0; r < count; r++) {
    const row = rows.subarray(r * columns, (r + 1) * columns);
    filter.set(row.subarray(0, grid.taps), r * width);
    if (site.direction === 'bidirectional') {
      filter.set(row.subarray(columns - grid.taps), (r + 1) * width - grid.taps);
    }
  }
  return { filter, width };
}

/** The same for channels of a model; of causal sites only the lags that enter the grid are made. */
export async function readLags(
  model: LongConvModel, site: Site, grid: MonarchGrid | undefined, channels: readonly [number, number], engine: Engine,
): Promise<LaidOutRows> {
  if (site.direction === 'causal') {
    const width = grid?.taps ?? site.taps;
    return { filter: await model.filter(site.id, { channels, taps: [0, width] }, engine), width };
  }
  const rows = await model.filter(site.id, { channels, taps: [0, filterColumns(site)] }, engine);
  return laidOut(rows, channels[1] - channels[0], site, grid);
}

/** Copies the lags -K .. K-1 of one ring to a ring of 2K columns (or fewer, where the source has fewer); see FilterMode. */
export function lagsOnRing(from: Float32Array, to: Float32Array): void {
  const half = Math.min(from.length, to.length) / 2;
  to.set(from.subarray(0, half));
  to.set(from.subarray(from.length - half), to.length - half);
}
