import * as assert from 'node:assert/strict';
import fc from 'fast-check';
import { lagWeights } from '../../../extension/core/masks/partial';

describe('partial mask', () => {
  it('keeps K lags whole without a taper', () => {
    assert.deepEqual(lagWeights({ taps: 4 }), Float64Array.of(1, 1, 1, 1));
    assert.deepEqual(lagWeights({ taps: 1, taper: 0 }), Float64Array.of(1));
  });

  it('ends in a raised cosine that neither repeats 1 nor reaches 0', () => {
    const weights = lagWeights({ taps: 5, taper: 3 });
    [1, 1, 0.5 + Math.SQRT1_2 / 2, 0.5, 0.5 - Math.SQRT1_2 / 2].forEach((expected, i) => assert.ok(Math.abs(weights[i] - expected) < 1e-15, `lag ${i}`));
    fc.assert(fc.property(fc.integer({ min: 1, max: 500 }), fc.nat(), (taps, seed) => {
      const taper = seed % (taps + 1);
      const w = lagWeights({ taps, taper });
      assert.equal(w.length, taps);
      assert.ok(w.subarray(0, taps - taper).every((value) => value === 1));
      for (let j = taps - taper; j < taps; j++) {
        assert.ok(w[j] > 0 && w[j] < (j === 0 ? 1 : w[j - 1]));
        // Symmetric about its middle: a weight and its opposite add up to 1.
        assert.ok(Math.abs(w[j] + w[2 * taps - taper - 1 - j] - 1) < 1e-12);
      }
    }));
  });
});
