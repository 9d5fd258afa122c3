import type { Direction, LongConvModel, Site } from '../../../../extension/core/families/model';
import { filterColumns } from '../../../../extension/core/families/site-shape';
import { noise } from '../../graph/support/measure';
import { syntheticModel } from './synthetic-model';

export const CHANNELS = 3;

/** A site of the given direction, and noise for its filter that is nowhere 0: [CHANNELS, columns]. */
export function twoSided(direction: Direction, taps: number, more: Partial<Site> = {}): { site: Site; rows: Float32Array; model: LongConvModel } {
  const site: Site = {
    id: 'site', layer: 0, channels: CHANNELS, taps, direction, storage: 'explicit', writeBack: ['baked'], filterTensors: ['k'], ...more,
  };
  const columns = filterColumns(site);
  const rows = noise(CHANNELS * columns, 17).map((value) => value + 2 ** -20);
  const model: LongConvModel = {
    ...syntheticModel(), sites: [site],
    async filter(_, { channels, taps: [from, to] }) {
      const out = new Float32Array((channels[1] - channels[0]) * (to - from));
      for (let c = channels[0]; c < channels[1]; c++) out.set(rows.subarray(c * columns + from, c * columns + to), (c - channels[0]) * (to - from));
      return out;
    },
  };
  return { site, rows, model };
}

/** Value of a ring of columns at a lag on either side of 0. */
export const ringValue = (rows: Float32Array, columns: number, channel: number, lag: number): number => rows[channel * columns + (lag < 0 ? columns + lag : lag)];

/** y[t] = post (sum_s k(c, t - s) pre u[s] + skip pre u[t]), in float64, [batch, CHANNELS, length]. */
export function directConvolution(
  call: { input: Float32Array; batch: number; length: number; preGate?: Float32Array; postGate?: Float32Array; skip?: Float32Array },
  kernel: (channel: number, lag: number) => number,
): Float64Array {
  const { input, batch, length, preGate, postGate, skip } = call;
  const out = new Float64Array(input.length);
  for (let row = 0; row < batch * CHANNELS; row++) {
    const at = row * length;
    const gated = (t: number): number => input[at + t] * (preGate ? preGate[at + t] : 1);
    for (let t = 0; t < length; t++) {
      let sum = skip ? skip[row % CHANNELS] * gated(t) : 0;
      for (let s = 0; s < length; s++) sum += kernel(row % CHANNELS, t - s) * gated(s);
      out[at + t] = sum * (postGate ? postGate[at + t] : 1);
    }
  }
  return out;
}
