import { mulberry32 } from '../validation/statistics';
import { type DenseTensor, emptyData } from './dense-sessions';
import type { GraphFeed, ModelGraph } from './model-graph';

/** What a run of the graph must feed. */
export const graphFeeds = ({ feeds, input }: ModelGraph): readonly GraphFeed[] =>
  feeds ?? [{ name: input.name, type: input.kind === 'tokens' ? 'int64' : 'float32', dims: ['batch', 'length'] }];

/** Shape of an input for a batch of sequences of `length` samples. */
export const feedDims = ({ dims }: GraphFeed, batch: number, length: number): number[] =>
  dims.map((dim) => (dim === 'batch' ? batch : dim === 'length' ? length : dim));

/**
 * Random inputs of a batch of 1: floats uniform on [-1, 1), integers below `vocabulary`; a single integer is 0, because it is a switch or an axis
 * rather than data. The same for the same seed.
 */
export function randomFeeds(graph: ModelGraph, length: number, vocabulary: number, seed: number): Map<string, DenseTensor> {
  const random = mulberry32(seed);
  return new Map(graphFeeds(graph).map((feed) => {
    const { name, type } = feed;
    const dims = feedDims(feed, 1, length);
    const data = emptyData(type, dims.reduce((a, b) => a * b, 1));
    for (let i = 0; i < data.length && dims.length > 0; i++) {
      const value = random();
      if (data instanceof BigInt64Array || data instanceof BigUint64Array) data[i] = BigInt(Math.floor(value * Math.max(1, vocabulary)));
      else if (data instanceof Float32Array || data instanceof Float64Array) data[i] = 2 * value - 1;
      // Bit patterns of float16 numbers from 1/2 to 2, of both signs.
      else if (type === 'float16') data[i] = 0x3800 + Math.floor(value * 0x800) + (i % 2) * 0x8000;
      else data[i] = Math.floor(value * Math.max(1, type === 'bool' ? 2 : vocabulary));
    }
    return [name, { type, data, dims }];
  }));
}
