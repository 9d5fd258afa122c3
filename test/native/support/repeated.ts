import { signals } from './signals';
import type { Signals } from './signals';

/**
 * A float64 reference of 64 channels costs what one of BASE_CHANNELS does: channel c repeats channel c mod BASE_CHANNELS, its filter
 * scaled by a power of two, which is exact in every precision. No two of 64 channels are equal, and 13 is far from every vector
 * width, so channels that are mixed up still show.
 */
export const BASE_CHANNELS = 13;

export const scaleOfChannel = (channel: number): number => [1, -1, 2, -2, 0.5][Math.floor(channel / BASE_CHANNELS)];

/** [batch, base channels, width] -> [batch, channels, width] */
export function repeated<T extends Float32Array | Float64Array>(
  base: T, batch: number, channels: number, width: number, scale: (channel: number) => number = () => 1,
): T {
  const baseChannels = base.length / (batch * width);
  const result = new (base.constructor as new (length: number) => T)(batch * channels * width);
  for (let b = 0; b < batch; b++) {
    for (let channel = 0; channel < channels; channel++) {
      const from = (b * baseChannels + (channel % baseChannels)) * width;
      const to = (b * channels + channel) * width;
      result.set(base.subarray(from, from + width), to);
      const factor = scale(channel);
      if (factor !== 1) {
        for (let i = to; i < to + width; i++) result[i] *= factor;
      }
    }
  }
  return result;
}

export interface RepeatedSignals {
  /** Of the base channels only. */
  readonly baseSignals: Signals;
  /** Of all channels: the base's input and first gate in every repetition, a second gate and skip term of its own. */
  readonly all: Signals;
}

/** The last ones made: many convolutions are run on the same signals, which take longer to make than to convolve. */
const made = new Map<string, RepeatedSignals>();

export function repeatedSignals(batch: number, channels: number, length: number, gated: boolean): RepeatedSignals {
  const key = [batch, channels, length, gated].join();
  let result = made.get(key);
  if (!result) {
    const baseSignals = signals(batch, Math.min(channels, BASE_CHANNELS), length, gated);
    const spread = (values: Float32Array): Float32Array => repeated(values, batch, channels, length);
    const { input, preGate } = baseSignals;
    result = { baseSignals, all: { ...signals(batch, channels, length, gated), input: spread(input), ...(preGate && { preGate: spread(preGate) }) } };
    if (made.size >= 2) made.clear();
    made.set(key, result);
  }
  return result;
}
