import type { Engine } from '../../core/engine/engine';
import type { LongConvModel, Site } from '../../core/families/model';
import { filterColumns } from '../../core/families/site-shape';
import { type PlaceBytes, type TensorEntry, writeSafetensorsInPlaces } from '../../core/formats/safetensors/write';
import type { ReportProgress } from '../../core/protocol/rpc';

/** Elements of the filter that are made at a time, for all channels at once; two pieces are in memory, one being made and one written. */
const PIECE_ELEMENTS = 1 << 23;

/**
 * Writes a materialised filter as tensor k [H, L] of a safetensors file; of bidirectional sites as k_fwd and k_rev [H, L], with lag j in column j
 * of k_fwd and lag -(j + 1) in column j of k_rev. A filter that the original code keeps as a whole ring is written as k [H, 2L] too.
 * Generated filters cost least when all channels of some taps are made together, and a file holds channel after channel; so each piece's rows
 * go to their places while the next piece is made.
 */
export async function exportFilter(
  model: LongConvModel, site: Site, engine: Engine, output: string, progress: ReportProgress,
): Promise<{ channels: number; taps: number }> {
  const { channels, taps } = site;
  const columns = filterColumns(site);
  const width = Math.max(1, Math.min(columns, Math.floor(PIECE_ELEMENTS / channels)));
  await writeSafetensorsInPlaces(output, tensorsOf(site), async (place) => {
    let writing = Promise.resolve();
    // One is made while the other is written, and both serve again: fresh memory for each piece would cost more than the filter.
    const buffers = [new Float32Array(channels * width), new Float32Array(channels * width)];
    for (let first = 0; first < columns; first += width) {
      const end = Math.min(columns, first + width);
      const making = model.filter(site.id, { channels: [0, channels], taps: [first, end] }, engine, buffers[(first / width) % 2].subarray(0, channels * (end - first)));
      // Settled together, so that a failure of one does not leave the other behind.
      const [rows] = await Promise.all([making, writing]);
      writing = placeRows(place, site, rows, first, end);
      progress({ message: `filter of ${site.id}: column ${end} of ${columns}`, fraction: end / columns });
    }
    await writing;
  });
  return { channels, taps };
}

function tensorsOf({ direction, channels, taps, ringOfRun }: Site): Omit<TensorEntry, 'data'>[] {
  const tensor = (name: string, columns: number): Omit<TensorEntry, 'data'> => ({ name, dtype: 'F32', shape: [channels, columns] });
  if (direction !== 'bidirectional') return [tensor('k', taps)];
  return [tensor('k_fwd', taps), tensor('k_rev', taps), ...(ringOfRun ? [tensor('k', 2 * taps)] : [])];
}

/** Columns [first, end) of every row, [channels, end - first]. */
async function placeRows(place: PlaceBytes, { direction, channels, taps, ringOfRun }: Site, rows: Float32Array, first: number, end: number): Promise<void> {
  const width = end - first;
  const put = (name: string, channel: number, columns: number, at: number, values: Float32Array): Promise<void> =>
    place(name, 4 * (channel * columns + at), new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  for (let channel = 0; channel < channels; channel++) {
    const row = rows.subarray(channel * width, (channel + 1) * width);
    if (direction !== 'bidirectional') {
      await put('k', channel, taps, first, row);
      continue;
    }
    if (ringOfRun) await put('k', channel, 2 * taps, first, row);
    const ahead = Math.max(0, Math.min(width, taps - first));
    if (ahead > 0) await put('k_fwd', channel, taps, first, row.subarray(0, ahead));
    if (ahead < width) await put('k_rev', channel, taps, 2 * taps - end, row.slice(ahead).reverse());
  }
}
