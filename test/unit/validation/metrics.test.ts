import assert from 'node:assert/strict';
import fc from 'fast-check';
import { logSoftmax, QualityMeter } from '../../../extension/core/validation/metrics';

const logit = fc.float({ min: -30, max: 30, noNaN: true });

describe('quality metrics', () => {
  it('log-probabilities sum to one and keep the differences of the logits', () => {
    fc.assert(fc.property(fc.array(logit, { minLength: 5, maxLength: 5 }), (row) => {
      const logits = Float32Array.from(row);
      const log = logSoftmax(logits, 5);
      assert.ok(Math.abs(log.reduce((a, b) => a + Math.exp(b), 0) - 1) < 1e-12);
      for (let v = 1; v < 5; v++) assert.ok(Math.abs(log[v] - log[0] - (logits[v] - logits[0])) < 1e-9);
    }));
  });

  it('does not overflow on large logits', () => {
    const log = logSoftmax(Float32Array.of(1e30, 0, -1e30), 3);
    assert.equal(log[0], 0);
    assert.ok(Number.isFinite(log[1]));
  });

  it('measures a uniform model exactly', () => {
    const meter = new QualityMeter();
    meter.add(logSoftmax(new Float32Array(4 * 16), 16), Int32Array.of(0, 3, 9, 15), 16);
    const quality = meter.quality();
    assert.ok(Math.abs(quality.perplexity - 16) < 1e-9);
    assert.ok(Math.abs(quality.bitsPerToken - 4) < 1e-12);
    assert.equal(quality.tokens, 4);
    assert.equal(quality.top1, 0.25);
  });

  it('KL to the dense model is zero for the same model and positive for another', () => {
    const dense = logSoftmax(Float32Array.of(1, 2, 3, 0, -1, 4), 3);
    const other = logSoftmax(Float32Array.of(3, 2, 1, 4, -1, 0), 3);
    const targets = Int32Array.of(2, 1);
    const meters = [dense, dense, other].map((log) => {
      const meter = new QualityMeter();
      meter.add(log, targets, 3, dense);
      return meter;
    });
    assert.equal(meters[1].maskedQuality(meters[0]).kl, 0);
    assert.deepEqual(meters[1].maskedQuality(meters[0]).nllDifference, { mean: 0, low: 0, high: 0 });
    assert.ok(meters[2].maskedQuality(meters[0]).kl > 0.1);
  });
});
