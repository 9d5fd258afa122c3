import assert from 'node:assert/strict';
import { median, mulberry32, pairedBootstrap, timing } from '../../../extension/core/validation/statistics';

/** Normal deviates by the Box-Muller transform. */
function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

describe('statistics', () => {
  it('median and median absolute deviation', () => {
    assert.equal(median([3, 1, 2]), 2);
    assert.equal(median([4, 1, 3, 2]), 2.5);
    assert.deepEqual(timing([1, 2, 3, 4, 100]), { median_ms: 3, mad_ms: 1, samples: 5 });
  });

  it('the bootstrap interval covers the true mean about 95 times in 100', () => {
    const random = mulberry32(11);
    let covered = 0;
    for (let trial = 0; trial < 100; trial++) {
      const { low, high } = pairedBootstrap(Array.from({ length: 60 }, () => 0.3 + normal(random)));
      if (low <= 0.3 && 0.3 <= high) covered++;
    }
    assert.ok(covered >= 87 && covered <= 100, `${covered} of 100`);
  });

  it('is the same on every call', () => {
    const values = [0.1, -0.2, 0.05, 0.3, 0.11];
    assert.deepEqual(pairedBootstrap(values), pairedBootstrap(values));
  });

  it('equal differences leave no width', () => {
    const { mean, low, high } = pairedBootstrap([0.5, 0.5, 0.5]);
    assert.deepEqual([mean, low, high], [0.5, 0.5, 0.5]);
  });
});
