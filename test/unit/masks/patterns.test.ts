import * as assert from 'node:assert/strict';
import fc from 'fast-check';
import { cellCount, cellSet } from '../../../extension/core/masks/cells';
import { digitsOfFrequency } from '../../../extension/core/masks/grid';
import { binsOfFraction, patternMask, patternProblem } from '../../../extension/core/masks/patterns';
import { anyBlock, anyCells, anyGrid } from './support/arbitraries';

const GRID = { fftSize: 2048, factors: [16, 16, 8], taps: 1024 };
const sum = (mask: Uint8Array): number => mask.reduce((a, b) => a + b, 0);
const fraction = (): fc.Arbitrary<number> => fc.double({ min: 0.0005, max: 1, noNaN: true });

describe('frequency patterns', () => {
  it('floor fractions without losing a bin to rounding', () => {
    // 25 * F bins in exact arithmetic: floats give 0.28 * 1025 = 287.00000000000006 and 0.58 * 50 = 28.999999999999996.
    for (let hundredths = 1; hundredths <= 100; hundredths++) {
      for (const fftSize of [98, 198, 398, 1998, 2048, 19998]) {
        const exact = Number((BigInt(hundredths) * BigInt(fftSize / 2 + 1)) / 100n);
        assert.equal(binsOfFraction(hundredths / 100, fftSize), exact, `${hundredths}% of ${fftSize}`);
      }
    }
    assert.equal(binsOfFraction(0.9999, 2048), 1024);
    assert.equal(binsOfFraction(1, 2048), 1025);
    assert.equal(binsOfFraction(1 / 32, 2048), 32);
    assert.equal(binsOfFraction(0.9999999, 4194304), 2097152);
  });

  it('block keeps exactly the frequencies whose digits are below the counts', () => {
    fc.assert(fc.property(anyBlock(), ({ grid, counts }) => {
      const mask = patternMask({ kind: 'block', counts }, grid);
      mask.forEach((kept, f) => {
        const inside = digitsOfFrequency(f, grid.factors).every((digit, i) => digit < counts[i]);
        assert.equal(kept, inside ? 1 : 0, `f = ${f}`);
      });
    }));
  });

  it('a full block is all ones', () => {
    fc.assert(fc.property(anyGrid(), (grid) => {
      assert.equal(sum(patternMask({ kind: 'block', counts: grid.factors }, grid)), grid.fftSize);
    }));
  });

  it('comb is a block with every other digit full, and f mod N1 < rows', () => {
    fc.assert(fc.property(anyBlock(), ({ grid, counts }) => {
      const comb = patternMask({ kind: 'comb', rows: counts[0] }, grid);
      assert.deepEqual(comb, patternMask({ kind: 'block', counts: [counts[0], ...grid.factors.slice(1)] }, grid));
      comb.forEach((kept, f) => assert.equal(kept, f % grid.factors[0] < counts[0] ? 1 : 0));
    }));
  });

  it('lowpass of F bins keeps 2F-1 frequencies, or all N with bin N/2', () => {
    fc.assert(fc.property(anyGrid(), fraction(), (grid, share) => {
      const bins = binsOfFraction(share, grid.fftSize);
      fc.pre(bins >= 1);
      const mask = patternMask({ kind: 'lowpass', fraction: share }, grid);
      assert.equal(sum(mask), bins === grid.fftSize / 2 + 1 ? grid.fftSize : 2 * bins - 1);
      mask.forEach((kept, f) => assert.equal(kept, Math.min(f, grid.fftSize - f) < bins ? 1 : 0, `f = ${f}`));
    }));
  });

  it('bandpass keeps a <= |f| < b on both sides', () => {
    fc.assert(fc.property(anyGrid(), fraction(), fraction(), (grid, a, b) => {
      const [from, to] = a < b ? [a, b] : [b, a];
      const mask = patternMask({ kind: 'bandpass', from, to }, grid);
      const [begin, end] = [binsOfFraction(from, grid.fftSize), binsOfFraction(to, grid.fftSize)];
      mask.forEach((kept, f) => {
        const distance = Math.min(f, grid.fftSize - f);
        assert.equal(kept, distance >= begin && distance < end ? 1 : 0, `f = ${f}`);
      });
    }));
    assert.deepEqual(patternMask({ kind: 'bandpass', from: 0, to: 0.25 }, GRID), patternMask({ kind: 'lowpass', fraction: 0.25 }, GRID));
  });

  it('cells keep the frequencies of their cells, all cells everything', () => {
    fc.assert(fc.property(anyCells(), ({ grid, digits, flags }) => {
      const mask = patternMask({ kind: 'cells', cells: cellSet(flags, digits) }, grid);
      const size = grid.fftSize / cellCount(grid, digits);
      assert.equal(sum(mask), size * sum(flags));
    }));
    // A block of the comb and the band digit is a set of cells.
    const flags = new Uint8Array(128);
    for (let band = 0; band < 4; band++) flags.fill(1, 16 * band, 16 * band + 5);
    assert.deepEqual(patternMask({ kind: 'cells', cells: cellSet(flags, [0, 2]) }, GRID), patternMask({ kind: 'block', counts: [5, 16, 4] }, GRID));
  });

  it('name what does not fit the grid', () => {
    assert.equal(patternProblem({ kind: 'block', counts: [16, 16, 8] }, GRID), undefined);
    assert.match(patternProblem({ kind: 'block', counts: [16, 16] }, GRID)?.message ?? '', /2 counts for the 3 digits of the grid 16x16x8/);
    assert.deepEqual(patternProblem({ kind: 'block', counts: [16, 17, 8] }, GRID)?.field, 'counts[1]');
    assert.match(patternProblem({ kind: 'comb', rows: 17 }, GRID)?.message ?? '', /17 is not between 1 and 16/);
    assert.match(patternProblem({ kind: 'lowpass', fraction: 0.0009 }, GRID)?.message ?? '', /not one whole bin/);
    assert.equal(patternProblem({ kind: 'lowpass', fraction: 1 / 1025 }, GRID), undefined);
    assert.match(patternProblem({ kind: 'bandpass', from: 0.5, to: 0.5001 }, GRID)?.message ?? '', /none of the 1025 bins/);
    assert.equal(patternProblem({ kind: 'cells', cells: { digits: [7], runs: [] } }, GRID)?.field, 'cells.digits');
  });
});
