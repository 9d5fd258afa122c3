import { mulberry32 } from './statistics';

/** Token ids that are the same in every run. */
export function randomTokens(vocabulary: number, length: number): Int32Array {
  const random = mulberry32(1);
  return Int32Array.from({ length }, () => Math.floor(random() * vocabulary));
}

/** Uniform on [-1, 1): never zeros, which could run faster than real data. */
export function randomSignal(length: number): Float32Array {
  const random = mulberry32(2);
  return Float32Array.from({ length }, () => 2 * random() - 1);
}
