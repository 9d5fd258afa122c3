import assert from 'node:assert/strict';
import fc from 'fast-check';
import { joinSeries, logarithmicParts } from '../../../webview/plots/frequency-columns';

describe('columns of a logarithmic frequency axis', () => {
  it('come in adjoining parts that cover the range, the lowest with a column for every bin', () => {
    fc.assert(fc.property(fc.integer({ min: 0, max: 5000 }), fc.integer({ min: 8, max: 3_000_000 }), fc.integer({ min: 64, max: 2000 }), (from, width, columns) => {
      const parts = logarithmicParts([from, from + width], columns);
      assert.equal(parts[0][0], from);
      assert.equal(parts.at(-1)![1], from + width);
      parts.slice(1).forEach((part, i) => assert.equal(part[0], parts[i][1]));
      // Every part spans at most a factor of eight, or is fully resolved.
      for (const [begin, end] of parts) assert.ok(end - begin <= columns || end <= 8 * begin + 8 || end <= 16);
    }));
  });

  it('are one request where every bin fits', () => {
    assert.deepEqual(logarithmicParts([0, 513], 800), [[0, 513]]);
  });

  it('join into one ascending series', () => {
    const part = (x: number[]): { x: Float64Array; original: { min: Float32Array; max: Float32Array } } =>
      ({ x: Float64Array.from(x), original: { min: Float32Array.from(x), max: Float32Array.from(x, v => v + 1) } });
    const joined = joinSeries([part([0, 1]), part([2, 6])]);
    assert.deepEqual([...joined.x], [0, 1, 2, 6]);
    assert.deepEqual([...joined.original.max], [1, 2, 3, 7]);
    assert.equal(joined.masked, undefined);
  });
});
