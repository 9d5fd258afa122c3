import { writeSafetensors, type TensorEntry } from '../../core/formats/safetensors/write';
import type { ReportProgress } from '../../core/protocol/rpc';
import type { FilterStore } from '../views/filter-store';

/**
 * Writes a materialised filter as tensor k [H, L] of a safetensors file, one channel at a time; of bidirectional sites as k_fwd and k_rev
 * [H, L], with lag j in column j of k_fwd and lag -(j + 1) in column j of k_rev.
 */
export async function exportFilter(store: FilterStore, output: string, progress: ReportProgress): Promise<{ channels: number; taps: number }> {
  const { channels, taps } = store.site;
  const tensor = (name: string, read: (channel: number) => Promise<Float32Array>): TensorEntry => ({
    name, dtype: 'F32', shape: [channels, taps],
    data: async function* () {
      for (let channel = 0; channel < channels; channel++) {
        const row = await read(channel);
        progress({ message: `writing channel ${channel + 1} of ${channels}`, fraction: (channel + 1) / channels });
        yield new Uint8Array(row.buffer, row.byteOffset, row.byteLength);
      }
    },
  });
  const forward = (channel: number): Promise<Float32Array> => store.row(channel, 0, taps);
  const backward = async (channel: number): Promise<Float32Array> => (await store.row(channel, taps, 2 * taps)).reverse();
  await writeSafetensors(output, store.site.direction === 'bidirectional' ? [tensor('k_fwd', forward), tensor('k_rev', backward)] : [tensor('k', forward)]);
  return { channels, taps };
}
