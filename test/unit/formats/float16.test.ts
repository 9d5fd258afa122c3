import * as assert from 'node:assert/strict';
import {
  bfloat16ToFloat32, float16ToFloat32, float32ToBfloat16, float32ToFloat16, widenBfloat16, widenFloat16,
} from '../../../extension/core/formats/float16';

/** Value of a binary float by its definition, in float64. */
function valueOf(bits: number, exponentBits: number, fractionBits: number): number {
  const sign = bits >>> (exponentBits + fractionBits) ? -1 : 1;
  const exponent = (bits >>> fractionBits) & ((1 << exponentBits) - 1);
  const fraction = bits & ((1 << fractionBits) - 1);
  const bias = (1 << (exponentBits - 1)) - 1;
  if (exponent === (1 << exponentBits) - 1) {
    return fraction ? NaN : sign * Infinity;
  }
  return exponent ? sign * (1 + fraction * 2 ** -fractionBits) * 2 ** (exponent - bias) : sign * fraction * 2 ** (1 - bias - fractionBits);
}

const float32 = new Float32Array(1);
const bits32 = new Uint32Array(float32.buffer);
/** The float32 next to a finite positive one. */
function neighbour(value: number, step: 1 | -1): number {
  float32[0] = value;
  bits32[0] += step;
  return float32[0];
}

const FORMATS = [
  { name: 'F16', widen: float16ToFloat32, narrow: float32ToFloat16, exponentBits: 5, fractionBits: 10 },
  { name: 'BF16', widen: bfloat16ToFloat32, narrow: float32ToBfloat16, exponentBits: 8, fractionBits: 7 },
];

for (const { name, widen, narrow, exponentBits, fractionBits } of FORMATS) {
  describe(`${name}`, () => {
    it('widens every bit pattern to its exact value, and narrows it back to the same pattern', () => {
      for (let bits = 0; bits < 65536; bits++) {
        const expected = valueOf(bits, exponentBits, fractionBits);
        const actual = widen(bits);
        assert.ok(Object.is(actual, expected), `${bits}: ${actual} instead of ${expected}`);
        if (!Number.isNaN(expected)) {
          assert.equal(narrow(actual), bits);
        }
      }
    });

    it('rounds to nearest, ties to even, around every midpoint between neighbours', () => {
      const infinity = ((1 << exponentBits) - 1) << fractionBits;
      for (let bits = 0; bits < infinity; bits++) {
        const low = valueOf(bits, exponentBits, fractionBits);
        // The step above the largest finite number is that below it: IEEE rounds to infinity from there on.
        const high = bits + 1 < infinity ? valueOf(bits + 1, exponentBits, fractionBits) : 2 * low - valueOf(bits - 1, exponentBits, fractionBits);
        const middle = (low + high) / 2;
        const even = bits % 2 === 0 ? bits : bits + 1;
        if (Math.fround(middle) === middle) {
          assert.equal(narrow(middle), even, `tie ${middle}`);
          assert.equal(narrow(neighbour(middle, 1)), bits + 1, `above ${middle}`);
          assert.equal(narrow(neighbour(middle, -1)), bits, `below ${middle}`);
          assert.equal(narrow(-middle), even | 0x8000, `tie ${-middle}`);
        }
      }
    });

    it('keeps NaN a NaN, and infinities and zeros with their sign', () => {
      float32[0] = NaN;
      for (const payload of [0x7f800001, 0x7fc00000, 0x7fffffff, 0xff800001, 0xffffffff]) {
        bits32[0] = payload;
        assert.ok(Number.isNaN(widen(narrow(float32[0]))));
      }
      for (const value of [Infinity, -Infinity, 0, -0]) {
        assert.ok(Object.is(widen(narrow(value)), value));
      }
      assert.equal(widen(narrow(3.4e38)), Infinity);
      assert.ok(Object.is(widen(narrow(-1e-45)), -0));
    });
  });
}

describe('widening arrays', () => {
  it('equals widening one by one, at an offset', () => {
    const source = new Uint16Array(65536).map((_, i) => i);
    for (const [widenAll, widenOne] of [[widenFloat16, float16ToFloat32], [widenBfloat16, bfloat16ToFloat32]] as const) {
      const target = new Float32Array(65536 + 3);
      widenAll(source, target, 2);
      assert.deepEqual([target[0], target[1], target[65538]], [0, 0, 0]);
      source.forEach((bits, i) => assert.ok(Object.is(target[i + 2], widenOne(bits))));
    }
  });
});
