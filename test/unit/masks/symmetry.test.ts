import * as assert from 'node:assert/strict';
import fc from 'fast-check';
import { cellCount, cellSet, mapDigits } from '../../../extension/core/masks/cells';
import { patternMask } from '../../../extension/core/masks/patterns';
import { cellGains, effectiveGain, foldMask, keptBins, keptCells, keptFraction } from '../../../extension/core/masks/symmetry';
import type { FrequencyPattern, Symmetry } from '../../../extension/core/plan/plan';
import { anyBlock, anyCells } from './support/arbitraries';

const GRID = { fftSize: 2048, factors: [16, 16, 8], taps: 1024 };
const block = (counts: number[], symmetry: Symmetry): Float64Array => effectiveGain({ grid: GRID, symmetry, keep: { kind: 'block', counts } });

describe('symmetry', () => {
  it('gain is (m(f) + m(-f)) / 2, conjugate 1 where either is kept, at every bin with 0 and N/2', () => {
    fc.assert(fc.property(anyCells(), ({ grid, digits, flags }) => {
      const keep: FrequencyPattern = { kind: 'cells', cells: cellSet(flags, digits) };
      const mask = patternMask(keep, grid);
      const n = grid.fftSize;
      const gain = effectiveGain({ grid, symmetry: 'gain', keep });
      const conjugate = effectiveGain({ grid, symmetry: 'conjugate', keep });
      assert.equal(gain.length, n / 2 + 1);
      for (let f = 0; f <= n / 2; f++) {
        const mean = (mask[f] + mask[(n - f) % n]) / 2;
        assert.equal(gain[f], mean);
        assert.equal(conjugate[f], mean > 0 ? 1 : 0);
      }
      assert.equal(gain[0], mask[0]);
      assert.equal(gain[n / 2], mask[n / 2]);
    }));
  });

  it('keeps as many of the N bins in both, and never fewer than were drawn', () => {
    fc.assert(fc.property(anyBlock(), ({ grid, counts }) => {
      const mask = patternMask({ kind: 'block', counts }, grid);
      const kept = keptFraction(foldMask(mask, 'conjugate'));
      assert.equal(keptFraction(foldMask(mask, 'gain')), kept);
      const n = grid.fftSize;
      const acting = mask.reduce((sum, m, f) => sum + (m || mask[(n - f) % n] ? 1 : 0), 0);
      assert.equal(kept, acting / n);
    }));
  });

  it('keeps no less when a count grows', () => {
    fc.assert(fc.property(anyBlock(), fc.nat(), ({ grid, counts }, seed) => {
      const i = seed % counts.length;
      const more = counts.map((count, d) => (d === i ? Math.min(count + 1, grid.factors[d]) : count));
      const kept = (c: number[]): number => keptFraction(effectiveGain({ grid, symmetry: 'conjugate', keep: { kind: 'block', counts: c } }));
      assert.ok(kept(more) >= kept(counts));
    }));
  });

  it('halves a filter whose top half of the last digit is dropped, as the kernels of the paper do', () => {
    const gain = block([16, 16, 4], 'gain');
    assert.equal(gain[0], 1);
    assert.ok(gain.subarray(1, 1024).every((g) => g === 0.5));
    assert.equal(gain[1024], 0);
    assert.ok(block([16, 16, 4], 'conjugate').subarray(0, 1024).every((g) => g === 1));
  });

  it('marks the bins the kernels compute', () => {
    assert.deepEqual(keptBins(Float64Array.of(0, 0.5, 1)), Uint8Array.of(0, 1, 1));
  });

  it('averages the gain over cells, whose mean is the mean over all frequencies', () => {
    fc.assert(fc.property(anyBlock(), ({ grid, counts }) => {
      const gain = effectiveGain({ grid, symmetry: 'gain', keep: { kind: 'block', counts } });
      const digits = mapDigits(grid);
      const means = cellGains(gain, grid, digits);
      assert.equal(means.length, cellCount(grid, digits));
      const all = patternMask({ kind: 'block', counts }, grid).reduce((a, b) => a + b, 0) / grid.fftSize;
      assert.ok(Math.abs(means.reduce((a, b) => a + b, 0) / means.length - all) < 1e-12);
    }));
    const cells = keptCells(block([16, 16, 1], 'conjugate'), GRID, [2]);
    assert.deepEqual(cells, { digits: [2], runs: [0, 1, 7, 1] }, 'band 0 and its mirror, band 7');
  });
});
