import type { TensorFile } from '../../formats/tensor-file';
import type { ExactWriteBack } from '../model';
import type { FilterSource } from '../shared/family-model';
import type { ChosenSite } from './choice';

/** Columns of a stored row as lags: in order, or from its end. */
const inOrder = (row: Float32Array, flipped: boolean): Float32Array => (flipped ? row.reverse() : row);

/** Rows of a chosen filter, as stored. */
export function storedSource(file: TensorFile, { tensor, backward, flipped }: ChosenSite, taps: number, columns: number): FilterSource {
  const width = backward === undefined ? columns : taps;
  return async ({ channels: [first, end], taps: [from, to] }) => {
    const out = new Float32Array((end - first) * (to - from));
    for (let channel = first; channel < end; channel++) {
      let row = inOrder(await file.readFloat32(tensor, channel * width, (channel + 1) * width), flipped);
      if (backward !== undefined) {
        const ring = new Float32Array(columns);
        ring.set(row);
        ring.set(inOrder(await file.readFloat32(backward, channel * width, (channel + 1) * width), flipped).reverse(), taps);
        row = ring;
      }
      out.set(row.subarray(from, to), (channel - first) * (to - from));
    }
    return out;
  };
}

/** New values of the stored tensors for rows of a site. */
export function storedTensors(file: TensorFile, { tensor, backward, flipped }: ChosenSite, taps: number, columns: number, rows: Float32Array): ExactWriteBack {
  const { shape } = file.tensors.get(tensor)!;
  const width = backward === undefined ? columns : taps;
  const channels = rows.length / columns;
  const pick = (from: number, reversed: boolean): Float32Array => {
    const data = new Float32Array(channels * width);
    for (let channel = 0; channel < channels; channel++) {
      const row = rows.slice(channel * columns + from, channel * columns + from + width);
      data.set(reversed !== flipped ? row.reverse() : row, channel * width);
    }
    return data;
  };
  const ahead = { name: tensor, shape, data: pick(0, false) };
  return { tensors: backward === undefined ? [ahead] : [ahead, { name: backward, shape, data: pick(taps, true) }] };
}
