import type { ConvolutionCall } from '../../../extension/core/engine/engine';
import { noise } from '../../unit/graph/support/measure';

export type Signals = Omit<ConvolutionCall, 'output' | 'threads' | 'totalChannels' | 'firstChannel'>;

/** Unit-scale random input [batch, channels, length], and with `gated` both gates and a skip term. */
export function signals(batch: number, channels: number, length: number, gated: boolean): Signals {
  const count = batch * channels * length;
  const input = noise(count, count + 1);
  if (!gated) return { input, batch, length };
  return { input, batch, length, preGate: noise(count, count + 2), postGate: noise(count, count + 3), skip: noise(channels, count + 4) };
}

/** The first `batch` rows and `channels` channels of [any, allChannels, length]. */
export function part<T extends Float32Array | Float64Array>(values: T, allChannels: number, length: number, batch: number, channels: number): T {
  const result = values.slice(0, batch * channels * length) as T;
  for (let b = 0; b < batch; b++) {
    const from = b * allChannels * length;
    result.set(values.subarray(from, from + channels * length), b * channels * length);
  }
  return result;
}

/** The same of everything in a call. */
export function partOfSignals(all: Signals, allChannels: number, batch: number, channels: number): Signals {
  const cut = (values: Float32Array): Float32Array => part(values, allChannels, all.length, batch, channels);
  return {
    batch, length: all.length, input: cut(all.input),
    ...(all.preGate && { preGate: cut(all.preGate) }),
    ...(all.postGate && { postGate: cut(all.postGate) }),
    ...(all.skip && { skip: all.skip.subarray(0, channels) }),
  };
}
