import assert from 'node:assert/strict';
import fc from 'fast-check';
import { binsOfFraction, patternProblem } from '../../../extension/core/masks/patterns';
import type { MonarchGrid } from '../../../extension/core/plan/plan';
import { partialWith } from '../../../webview/plan/partial-mask';
import { fractionForBins, halfBins, newPattern, regrid } from '../../../webview/plan/patterns';

const grid: MonarchGrid = { fftSize: 2048, factors: [16, 16, 8], taps: 1024 };
const fine: MonarchGrid = { fftSize: 4096, factors: [16, 16, 16], taps: 1024 };

describe('patterns of the plan editor', () => {
  it('write a number of bins as a fraction that means exactly these bins', () => {
    fc.assert(fc.property(fc.constantFrom(256, 2048, 32768, 4194304), fc.double({ min: 0, max: 1, noNaN: true }), (fftSize, share) => {
      const any = { ...grid, fftSize };
      const bins = Math.max(1, Math.round(share * halfBins(any)));
      assert.equal(binsOfFraction(fractionForBins(bins, any), fftSize), bins);
    }), { numRuns: 500 });
  });

  it('write round fractions where they fit', () => {
    assert.equal(fractionForBins(512, grid), 0.5);
    assert.equal(fractionForBins(1025, grid), 1);
  });

  it('start as something that a plan may hold, on any grid', () => {
    for (const kind of ['lowpass', 'bandpass', 'block', 'comb', 'cells'] as const) {
      const pattern = newPattern(kind, grid, undefined);
      assert.equal(patternProblem(pattern, grid), undefined, kind);
      assert.equal(patternProblem(regrid(pattern, fine), fine), undefined, kind);
    }
  });
});

describe('the partial mask of the plan editor', () => {
  it('is none when every tap is kept without a taper', () => {
    assert.equal(partialWith({ taps: 100 }, { taps: 1024 }, 1024), undefined);
    assert.deepEqual(partialWith(undefined, { taper: 8 }, 1024), { taps: 1024, taper: 8 });
  });

  it('keeps its taper inside the kept taps', () => {
    assert.deepEqual(partialWith({ taps: 100, taper: 64 }, { taps: 32 }, 1024), { taps: 32, taper: 32 });
  });
});
