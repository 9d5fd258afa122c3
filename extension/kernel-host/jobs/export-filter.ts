import type { Engine } from '../../core/engine/engine';
import type { LongConvModel, Site, TapRange } from '../../core/families/model';
import { filterColumns } from '../../core/families/site-shape';
import { type PlaceBytes, type TensorEntry, writeSafetensorsInPlaces } from '../../core/formats/safetensors/write';
import type { ReportProgress } from '../../core/protocol/rpc';

/** Elements of the filter that are made at a time; two pieces are in memory, one being made and one written. */
const PIECE_ELEMENTS = 1 << 23;

/**
 * Writes a materialised filter as tensor k [H, L] of a safetensors file; of bidirectional sites as k_fwd and k_rev [H, L], with lag j in column j
 * of k_fwd and lag -(j + 1) in column j of k_rev. A filter that the original code keeps as a whole ring is written as k [H, 2L] too.
 * Each piece's rows go to their places while the next piece is made.
 */
export async function exportFilter(
  model: LongConvModel, site: Site, engine: Engine, output: string, progress: ReportProgress,
): Promise<{ channels: number; taps: number }> {
  const { channels, taps } = site;
  const pieces = piecesOf(site);
  const size = ({ channels: [firstRow, endRow], taps: [first, end] }: TapRange): number => (endRow - firstRow) * (end - first);
  await writeSafetensorsInPlaces(output, tensorsOf(site), async (place) => {
    let writing = Promise.resolve();
    // One is made while the other is written, and both serve again: fresh memory for each piece would cost more than the filter.
    const largest = Math.max(0, ...pieces.map(size));
    const buffers = [new Float32Array(largest), new Float32Array(largest)];
    for (const [index, piece] of pieces.entries()) {
      const making = model.filter(site.id, piece, engine, buffers[index % 2].subarray(0, size(piece)));
      // Settled together, so that a failure of one does not leave the other behind.
      const [rows] = await Promise.all([making, writing]);
      writing = placeRows(place, site, rows, piece);
      progress({ message: `filter of ${site.id}: piece ${index + 1} of ${pieces.length}`, fraction: (index + 1) / pieces.length });
    }
    await writing;
  });
  return { channels, taps };
}

/**
 * Networks make all channels of some taps at the cost of one; everything else costs least row by row, as a file holds it, while a row fits.
 */
function piecesOf(site: Site): TapRange[] {
  const { channels, storage } = site;
  const columns = filterColumns(site);
  const byRows = storage !== 'implicit' && columns <= PIECE_ELEMENTS;
  const [whole, step] = byRows ? [channels, Math.max(1, Math.floor(PIECE_ELEMENTS / Math.max(1, columns)))] : [columns, Math.max(1, Math.floor(PIECE_ELEMENTS / channels))];
  return Array.from({ length: Math.ceil(whole / step) }, (_, i): TapRange => {
    const part = [i * step, Math.min(whole, (i + 1) * step)] as const;
    return byRows ? { channels: part, taps: [0, columns] } : { channels: [0, channels], taps: part };
  });
}

function tensorsOf({ direction, channels, taps, ringOfRun }: Site): Omit<TensorEntry, 'data'>[] {
  const tensor = (name: string, columns: number): Omit<TensorEntry, 'data'> => ({ name, dtype: 'F32', shape: [channels, columns] });
  if (direction !== 'bidirectional') return [tensor('k', taps)];
  return [tensor('k_fwd', taps), tensor('k_rev', taps), ...(ringOfRun === 'cut' ? [tensor('k', 2 * taps)] : [])];
}

/** The rows of a piece. */
async function placeRows(place: PlaceBytes, { direction, taps, ringOfRun }: Site, rows: Float32Array, { channels: [firstRow, endRow], taps: [first, end] }: TapRange): Promise<void> {
  const width = end - first;
  const put = (name: string, channel: number, columns: number, at: number, values: Float32Array): Promise<void> =>
    place(name, 4 * (channel * columns + at), new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  // Whole rows lie together in the file.
  if (direction !== 'bidirectional' && width === taps) return put('k', firstRow, taps, 0, rows);
  for (let channel = firstRow; channel < endRow; channel++) {
    const row = rows.subarray((channel - firstRow) * width, (channel - firstRow + 1) * width);
    if (direction !== 'bidirectional') {
      await put('k', channel, taps, first, row);
      continue;
    }
    if (ringOfRun === 'cut') await put('k', channel, 2 * taps, first, row);
    const ahead = Math.max(0, Math.min(width, taps - first));
    if (ahead > 0) await put('k_fwd', channel, taps, first, row.subarray(0, ahead));
    if (ahead < width) await put('k_rev', channel, taps, 2 * taps - end, row.slice(ahead).reverse());
  }
}
