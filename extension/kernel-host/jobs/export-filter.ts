import { writeSafetensors } from '../../core/formats/safetensors/write';
import type { ReportProgress } from '../../core/protocol/rpc';
import type { FilterStore } from '../views/filter-store';

/** Writes a materialised filter as tensor k [H, L] of a safetensors file, one channel at a time. */
export async function exportFilter(store: FilterStore, output: string, progress: ReportProgress): Promise<{ channels: number; taps: number }> {
  const { channels, taps } = store.site;
  async function* rows(): AsyncIterable<Uint8Array> {
    for (let channel = 0; channel < channels; channel++) {
      const row = await store.row(channel);
      progress({ message: `writing channel ${channel + 1} of ${channels}`, fraction: (channel + 1) / channels });
      yield new Uint8Array(row.buffer, row.byteOffset, row.byteLength);
    }
  }
  await writeSafetensors(output, [{ name: 'k', dtype: 'F32', shape: [channels, taps], data: rows }]);
  return { channels, taps };
}
