import type { Sample } from '../data/samples';
import type { LongConvModel } from '../families/model';
import { mulberry32 } from './statistics';

/** Tokens or a signal, where there is no data. */
export function randomSample({ floatInput, vocabularySize }: Pick<LongConvModel, 'floatInput' | 'vocabularySize'>, length: number, seed = 1): Sample {
  const random = mulberry32(seed);
  const size = (floatInput ?? ['length' as const]).reduce<number>((product, dim) => product * (dim === 'length' ? length : dim), 1);
  const input = floatInput
    ? Float32Array.from({ length: size }, () => 2 * random() - 1)
    : Int32Array.from({ length: size }, () => Math.floor(random() * vocabularySize));
  return { input, length, targets: new Int32Array(0) };
}

/** Uniform on [-1, 1): never zeros, which could run faster than real data. */
export function randomSignal(length: number): Float32Array {
  const random = mulberry32(2);
  return Float32Array.from({ length }, () => 2 * random() - 1);
}
