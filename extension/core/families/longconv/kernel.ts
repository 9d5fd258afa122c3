import type { TensorFile } from '../../formats/tensor-file';
import type { ExactWriteBack } from '../model';
import type { FilterSource } from '../shared/family-model';
import { smoothInFrequency, smoothInTime } from './smoothing';

/** What the original code does to stored taps at every run: an optional smoothing, then sign(k) max(|k| - lam, 0). */
export interface KernelShaping {
  readonly lam: number;
  readonly smoothing?: { readonly kind: 'time' | 'frequency'; readonly window: number };
}

/** A stored kernel tensor [copies, H, stored taps]. */
export interface StoredKernel {
  readonly tensor: string;
  readonly copies: number;
  readonly width: number;
  readonly taps: number;
  /**
   * causal: rows are copies x H. halves: the first half of the copies holds lags 0, 1, ..., the second lags -1, -2, ...
   * ring: rows hold all the lags of a ring of `taps`.
   */
  readonly layout: 'causal' | 'halves' | 'ring';
}

/** Rows of the site that a stored kernel makes. */
export const siteChannels = ({ copies, width, layout }: StoredKernel): number => (layout === 'halves' ? (copies / 2) * width : copies * width);

/** Source: HazyResearch/safari, long_conv_kernel.py and long_conv.py. */
export function kernelSource(file: TensorFile, kernel: StoredKernel, shaping: KernelShaping): FilterSource {
  const { taps } = kernel;
  const { lam, smoothing } = shaping;
  const stored = (index: number, from: number, to: number): Promise<Float32Array> => file.readFloat32(kernel.tensor, index * kernel.taps + from, index * kernel.taps + to);
  const row = async (index: number): Promise<Float64Array> => shrunk(smoothed(new Float64Array(await stored(index, 0, kernel.taps)), smoothing), lam);
  return async ({ channels: [first, end], taps: [from, to] }) => {
    if (kernel.layout !== 'halves' && !smoothing && from === 0 && to === taps) return shrunk(await stored(first, 0, (end - first) * taps), lam);
    const out = new Float32Array((end - first) * (to - from));
    for (let channel = first; channel < end; channel++) {
      let columns: Float32Array | Float64Array;
      if (kernel.layout === 'halves') {
        const ring = new Float64Array(2 * taps);
        ring.set(await row(channel));
        ring.set((await row(siteChannels(kernel) + channel)).reverse(), taps);
        columns = ring.subarray(from, to);
      } else if (smoothing) {
        columns = (await row(channel)).subarray(from, to);
      } else {
        columns = shrunk(await stored(channel, from, to), lam);
      }
      out.set(columns, (channel - first) * (to - from));
    }
    return out;
  };
}

/** One tap fewer where an odd number is smoothed in frequency; the missing one is 0 then. */
function smoothed(taps: Float64Array, smoothing: KernelShaping['smoothing']): Float64Array {
  return smoothing === undefined ? taps : smoothing.kind === 'time' ? smoothInTime(taps, smoothing.window) : smoothInFrequency(taps, smoothing.window);
}

/** sign(k) max(|k| - lam, 0), in place. A plain loop: rows may have millions of taps, and a function called for each takes ten times as long. */
function shrunk<Row extends Float32Array | Float64Array>(row: Row, lam: number): Row {
  for (let j = 0; j < row.length; j++) row[j] = Math.sign(row[j]) * Math.max(Math.abs(row[j]) - lam, 0);
  return row;
}

/**
 * New values of the stored kernel for rows of the site. Without smoothing they are rows + lam sign(rows), which the threshold turns into the
 * rows again; smoothing cannot be undone, so then the rows themselves are stored, and config.json must switch shaping off.
 */
export function storedValues(kernel: StoredKernel, { smoothing, lam }: KernelShaping, rows: Float32Array, lamKey: string): ExactWriteBack {
  const { tensor, copies, width, taps, layout } = kernel;
  const add = smoothing === undefined ? lam : 0;
  const raised = rows.map((k) => k + add * Math.sign(k));
  const shape = [copies, width, layout === 'halves' ? raised.length / (copies * width) : taps];
  const config = smoothing === undefined ? undefined : { use_ma_smoothing: false, [lamKey]: 0 };
  if (layout !== 'halves') {
    return { tensors: [{ name: tensor, shape, data: raised }], config };
  }
  const half = shape[2];
  const data = new Float32Array(raised.length);
  for (let channel = 0; channel < siteChannels(kernel); channel++) {
    const ring = raised.subarray(channel * 2 * half, (channel + 1) * 2 * half);
    data.set(ring.subarray(0, half), channel * half);
    data.set(Float32Array.from(ring.subarray(half)).reverse(), (siteChannels(kernel) + channel) * half);
  }
  return { tensors: [{ name: tensor, shape, data }], config };
}
