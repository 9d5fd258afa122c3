import type { Engine, SirenFilterRequest } from '../../../extension/core/engine/engine';
import { lowRankFilter } from '../support/low-rank-reference';
import { modalFilter } from '../support/modal-reference';
import { placedRows } from '../support/place-rows';

/** The Hyena filter by its equations, in float64 and nothing else: h = W_out sin(f (W_n ... sin(f (W_1 z + b_1)) + b_n)), k = h (exp(-t |d|) + shift). */
function sirenFilter({ z, t, features, layers, freq, output, window }: SirenFilterRequest): Float32Array {
  const width = freq.length;
  const channels = output.length / width;
  const result = new Float32Array(channels * t.length);
  for (let position = 0; position < t.length; position++) {
    let x = Array.from(z.subarray(position * features, (position + 1) * features));
    for (const { weight, bias } of layers) {
      const input = x;
      x = Array.from(bias, (b, row) => Math.sin(freq[row] * input.reduce((sum, value, column) => sum + weight[row * input.length + column] * value, b)));
    }
    for (let channel = 0; channel < channels; channel++) {
      const h = x.reduce((sum, value, column) => sum + output[channel * width + column] * value, 0);
      const w = window ? Math.exp(-t[position] * Math.abs(window.deltas[channel])) + window.shift : 1;
      result[channel * t.length + position] = h * w;
    }
  }
  return result;
}

const absent = (): never => {
  throw new Error('the reference engine only evaluates filters');
};

/** An engine that evaluates filters in plain TypeScript, so that family tests do not depend on native code. */
export const REFERENCE_ENGINE: Engine = {
  devices: absent, prepare: absent, predict: absent, maskFilter: absent, spectrum: absent,
  sirenFilter: (request) => Promise.resolve(placedRows(sirenFilter(request), request)),
  modalFilter: async (request) => modalFilter(request),
  lowRankFilter: async (request) => lowRankFilter(request),
};

/** ||a - b|| / ||b||; NaN, which fails any comparison, for different lengths or an all-zero b. */
export function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) {
    return NaN;
  }
  let difference = 0;
  let norm = 0;
  for (let i = 0; i < expected.length; i++) {
    difference += (actual[i] - expected[i]) ** 2;
    norm += expected[i] ** 2;
  }
  return Math.sqrt(difference / norm);
}
