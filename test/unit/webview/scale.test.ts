import assert from 'node:assert/strict';
import fc from 'fast-check';
import { cellAt, clampRange, columnAt, decibels, panRange, zoomRange } from '../../../webview/plots/scale';
import type { Range } from '../../../webview/plots/scale';

const full: Range = [-512, 1024];
const range = fc.tuple(fc.double({ min: -4000, max: 4000, noNaN: true }), fc.double({ min: 0, max: 4000, noNaN: true })).map(([from, width]): Range => [from, from + width]);

describe('visible ranges of a plot', () => {
  it('stay whole, inside the axis and at least eight wide, whatever is asked for', () => {
    fc.assert(fc.property(range, fc.double({ min: 0.01, max: 100, noNaN: true }), fc.double({ min: -3, max: 3, noNaN: true }), (wish, factor, share) => {
      const start = clampRange(wish, full);
      for (const [from, to] of [start, zoomRange(start, factor, (start[0] + start[1]) / 2, full), panRange(start, share, full)]) {
        assert.ok(Number.isInteger(from) && Number.isInteger(to));
        assert.ok(from >= full[0] && to <= full[1] && to - from >= 8);
      }
    }));
  });

  it('keep the value under the pointer in its place when zoomed', () => {
    const [from, to] = zoomRange([0, 800], 0.5, 200, [0, 1000]);
    assert.equal(to - from, 400);
    assert.ok(Math.abs((200 - from) / (to - from) - 0.25) <= 0.0025);
  });

  it('show all of an axis shorter than eight', () => {
    assert.deepEqual(clampRange([1, 2], [0, 5]), [0, 5]);
  });

  it('move by at least one value', () => {
    assert.deepEqual(panRange([10, 18], 0.01, [0, 100]), [11, 19]);
    assert.deepEqual(panRange([0, 18], -0.5, [0, 100]), [0, 18]);
  });
});

describe('places on a plot', () => {
  it('find the column that holds a value', () => {
    const x = Float64Array.of(0, 4, 8, 12);
    assert.deepEqual([-1, 0, 3, 4, 11.9, 12, 99].map(value => columnAt(x, value)), [0, 0, 0, 1, 2, 3, 3]);
  });

  it('find the cell under a point, and none outside', () => {
    assert.deepEqual(cellAt(0, 0, 80, 160, 16, 8), { row: 0, column: 0 });
    assert.deepEqual(cellAt(79.9, 159.9, 80, 160, 16, 8), { row: 15, column: 7 });
    assert.equal(cellAt(80, 10, 80, 160, 16, 8), null);
    assert.equal(cellAt(10, -1, 80, 160, 16, 8), null);
  });

  it('turn magnitudes into decibels with a floor', () => {
    assert.equal(decibels(1, 1, -120), 0);
    assert.ok(Math.abs(decibels(0.1, 1, -120) + 20) < 1e-9);
    assert.equal(decibels(0, 1, -120), -120);
    assert.equal(decibels(1e-9, 1, -120), -120);
  });
});
