import * as assert from 'node:assert/strict';
import { relativeError } from '../../unit/graph/support/measure';

/** Relative L2 error of fp32 kernels on unit-scale random data against float64. */
export const TOLERANCE = 1e-6;

export function assertAccurate(actual: Float32Array, expected: Float64Array, what: string, tolerance = TOLERANCE): void {
  const error = relativeError(actual, expected);
  assert.ok(error <= tolerance, `${what}: relative error ${error.toExponential(2)} > ${tolerance}`);
}

/** Equal in every bit, NaN and the sign of zero included. */
export function assertSameBits(actual: Float32Array, expected: Float32Array, what: string): void {
  assert.equal(actual.length, expected.length, what);
  const bits = (values: Float32Array): Buffer => Buffer.from(values.buffer, values.byteOffset, values.byteLength);
  assert.ok(bits(actual).equals(bits(expected)), `${what}: the outputs differ`);
}
