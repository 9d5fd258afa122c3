import * as assert from 'node:assert/strict';
import fc from 'fast-check';
import { defaultFactors, defaultGrid, defaultLength, digitsOfFrequency, frequencyOfDigits, gridProblem, LARGEST_DEFAULT_FFT_SIZE } from '../../../extension/core/masks/grid';
import { UserError } from '../../../extension/core/errors';
import { anyGrid } from './support/arbitraries';

describe('Monarch grid', () => {
  it('has default factors for every power of two up to 2^26, whose product is the size', () => {
    for (let n = 2; n <= LARGEST_DEFAULT_FFT_SIZE; n *= 2) {
      assert.equal(defaultFactors(n).reduce((a, b) => a * b, 1), n);
    }
    assert.deepEqual(defaultFactors(2048), [16, 16, 8]);
    assert.deepEqual(defaultFactors(524288), [32, 16, 32, 32]);
    assert.deepEqual(defaultFactors(4194304), [128, 32, 32, 32]);
    assert.deepEqual(defaultFactors(8388608), [256, 32, 32, 32]);
    assert.deepEqual(defaultFactors(128), [16, 8]);
    assert.deepEqual(defaultFactors(2), [2]);
  });

  it('refuses sizes without default factors', () => {
    for (const n of [0, 1, 3, 1000, 2 * LARGEST_DEFAULT_FFT_SIZE, 2048.5, NaN]) {
      assert.throws(() => defaultFactors(n), UserError);
    }
  });

  it('cuts windows at the largest power of two', () => {
    assert.deepEqual([1, 2, 3, 1024, 1026, 32770, 1000002].map(defaultLength), [1, 2, 2, 1024, 1024, 32768, 524288]);
  });

  it('gives the sample model the grid of its reference files', () => {
    assert.deepEqual(defaultGrid({ siteTaps: 1026, maxLength: 1026 }), { fftSize: 2048, factors: [16, 16, 8], taps: 1024 });
  });

  it('covers the run length of filters shorter than the inputs', () => {
    assert.deepEqual(defaultGrid({ siteTaps: 128, maxLength: 8192 }), { fftSize: 16384, factors: [16, 32, 32], taps: 128 });
  });

  it('takes a size, factors or both from the user', () => {
    assert.deepEqual(defaultGrid({ siteTaps: 1026, maxLength: 1026, fftSize: 512 }), { fftSize: 512, factors: [32, 16], taps: 256 });
    assert.deepEqual(defaultGrid({ siteTaps: 1026, maxLength: 1026, fftSize: 4096 }).taps, 1026);
    assert.deepEqual(defaultGrid({ siteTaps: 1026, maxLength: 1026, factors: [64, 32] }), { fftSize: 2048, factors: [64, 32], taps: 1024 });
    assert.throws(() => defaultGrid({ siteTaps: 1026, maxLength: 1026, fftSize: 2048, factors: [16, 16, 4] }), /^UserError: factors: 16 x 16 x 4 = 1024, but fftSize is 2048\.$/);
  });

  it('names what is wrong with a grid', () => {
    const good = { fftSize: 2048, factors: [16, 16, 8], taps: 1024 };
    assert.equal(gridProblem(good), undefined);
    assert.equal(gridProblem({ ...good, fftSize: 3000 })?.field, 'fftSize');
    assert.equal(gridProblem({ ...good, fftSize: 1, factors: [1], taps: 1 })?.field, 'fftSize');
    assert.equal(gridProblem({ ...good, factors: [2048, 1] })?.field, 'factors');
    assert.equal(gridProblem({ ...good, factors: [] })?.field, 'factors');
    assert.equal(gridProblem({ ...good, taps: 1025 })?.field, 'taps');
    assert.equal(gridProblem({ ...good, taps: 0 })?.field, 'taps');
  });

  it('maps frequencies to digits and back', () => {
    assert.deepEqual(digitsOfFrequency(1 + 16 * (2 + 16 * 3), [16, 16, 8]), [1, 2, 3]);
    fc.assert(fc.property(anyGrid(), fc.nat(), (grid, seed) => {
      const f = seed % grid.fftSize;
      const digits = digitsOfFrequency(f, grid.factors);
      assert.ok(digits.every((digit, i) => digit >= 0 && digit < grid.factors[i]));
      assert.equal(digits[0], f % grid.factors[0]);
      assert.equal(frequencyOfDigits(digits, grid.factors), f);
    }));
  });
});
