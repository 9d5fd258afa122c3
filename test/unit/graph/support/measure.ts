import * as assert from 'node:assert/strict';

/** ||a - b|| / ||b||; fails when b is all zero or anything is not finite. */
export function relativeError(a: ArrayLike<number>, b: ArrayLike<number>): number {
  assert.equal(a.length, b.length);
  let difference = 0;
  let norm = 0;
  for (let i = 0; i < b.length; i++) {
    difference += (a[i] - b[i]) ** 2;
    norm += b[i] ** 2;
  }
  assert.ok(norm > 0, 'the reference is all zero');
  assert.ok(Number.isFinite(difference), 'a value is not finite');
  return Math.sqrt(difference / norm);
}

export function assertClose(a: ArrayLike<number>, b: ArrayLike<number>, tolerance: number): void {
  const error = relativeError(a, b);
  assert.ok(error <= tolerance, `relative error ${error.toExponential(2)} > ${tolerance}`);
}

/** Deterministic numbers in [-1, 1). */
export function noise(count: number, seed: number): Float32Array {
  const values = new Float32Array(count);
  let state = seed >>> 0 || 1;
  for (let i = 0; i < count; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    values[i] = (state >>> 0) / 2 ** 31 - 1;
  }
  return values;
}
