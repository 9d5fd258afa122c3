import type { TensorFile } from '../../formats/tensor-file';
import { generateFilter, type FilterGenerator } from '../hyenadna/filter';
import type { FilterSource } from '../shared/family-model';
import type { M2Convolution } from './layout';

/** Channels made at a time while both directions are laid out, so that memory beside the result stays bounded. */
const VALUES_AT_ONCE = 1 << 22;

/**
 * Rows of 2L columns: the forward network gives lag j in column j, the backward network's value j belongs to lag -(j + 1), column 2L - 1 - j.
 * Source: HazyResearch/m2, hyena_utils.py and monarch_mixer_sequence_mixer.py.
 */
export function implicitSource(file: TensorFile, { forward, backward }: M2Convolution, sizes: Omit<FilterGenerator, 'names'>): FilterSource | undefined {
  if (!forward) {
    return undefined;
  }
  if (!backward) {
    return (range, engine) => generateFilter(file, { ...sizes, names: forward }, range, engine);
  }
  const taps = sizes.maxLength;
  return async ({ channels: [first, end], taps: [from, to] }, engine) => {
    const out = new Float32Array((end - first) * (to - from));
    const step = Math.max(1, Math.floor(VALUES_AT_ONCE / taps));
    for (let begin = first; begin < end; begin += step) {
      const channels: [number, number] = [begin, Math.min(end, begin + step)];
      const place = (columns: readonly [number, number], values: Float32Array): void => {
        const width = columns[1] - columns[0];
        for (let c = channels[0]; c < channels[1]; c++) {
          out.set(values.subarray((c - begin) * width, (c - begin + 1) * width), (c - first) * (to - from) + columns[0] - from);
        }
      };
      const ahead: [number, number] = [from, Math.min(to, taps)];
      if (ahead[1] > ahead[0]) place(ahead, await generateFilter(file, { ...sizes, names: forward }, { channels, taps: ahead }, engine));
      const behind: [number, number] = [Math.max(from, taps), to];
      if (behind[1] > behind[0]) {
        const values = await generateFilter(file, { ...sizes, names: backward }, { channels, taps: [2 * taps - behind[1], 2 * taps - behind[0]] }, engine);
        const width = behind[1] - behind[0];
        for (let c = 0; c < channels[1] - begin; c++) values.subarray(c * width, (c + 1) * width).reverse();
        place(behind, values);
      }
    }
    return out;
  };
}
