import type { TensorFile } from '../../formats/tensor-file';
import { type FilterSource, resultArray } from '../shared/family-model';
import type { NormedLinear } from './layout';

/** Positions evaluated at a time, so that memory beside the result stays constant. */
const POSITIONS_AT_ONCE = 1 << 14;

/**
 * Kernels k[o, i] of a full convolution, row o*I + i: a sine network of the position, sin(omega0 (W x + b)) twice and a linear layer, on the
 * grid linspace(-1, 1, L). The original code keeps index j at lag L - 1 - j; here column l is lag l. Source: dwromero/ckconv, ckconv/nn/ckconv.py.
 */
export function sineSource(file: TensorFile, network: readonly [NormedLinear, NormedLinear, NormedLinear], taps: number, omega0: number): FilterSource {
  return async ({ channels: [first, end], taps: [from, to] }, engine, reuse) => {
    const hidden = [await readLinear(file, network[0]), await readLinear(file, network[1])];
    const width = hidden[1].bias.length;
    const last = await readLinear(file, network[2], first, end);
    const out = resultArray((end - first) * (to - from), reuse);
    for (let begin = from; begin < to; begin += POSITIONS_AT_ONCE) {
      const count = Math.min(POSITIONS_AT_ONCE, to - begin);
      const z = Float32Array.from({ length: count }, (_, i) => position(taps - 1 - (begin + i), taps));
      const rows = out.subarray(begin - from);
      await engine.sirenFilter({
        z, t: new Float32Array(count), features: 1, layers: hidden, freq: new Float32Array(width).fill(omega0), output: last.weight, into: { rows, stride: to - from },
      });
      for (let c = 0; c < end - first; c++) {
        const at = c * (to - from);
        for (let i = at; i < at + count; i++) rows[i] += last.bias[c];
      }
    }
    return out;
  };
}

/** Point of linspace(-1, 1, L). */
const position = (index: number, taps: number): number => (taps > 1 ? -1 + (2 * index) / (taps - 1) : -1);

/** Rows [first, end) of a layer; all of them by default. */
async function readLinear(file: TensorFile, { g, v, bias }: NormedLinear, first = 0, end?: number): Promise<{ weight: Float32Array; bias: Float32Array }> {
  const [rows, columns] = file.tensors.get(v)!.shape;
  const stop = end ?? rows;
  const lengths = await file.readFloat32(g, first, stop);
  const weight = await file.readFloat32(v, first * columns, stop * columns);
  lengths.forEach((length, row) => {
    const values = weight.subarray(row * columns, (row + 1) * columns);
    const norm = Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
    // A row of zeros has no direction: its weight is 0, whatever its length.
    values.forEach((value, i) => { values[i] = norm > 0 ? (length * value) / norm : 0; });
  });
  return { weight, bias: await file.readFloat32(bias, first, stop) };
}
