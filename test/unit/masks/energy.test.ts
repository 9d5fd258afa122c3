import * as assert from 'node:assert/strict';
import fc from 'fast-check';
import { cellCount, cellFlags, cellOfFrequency, cellsInSet, mapDigits, mirrorCells } from '../../../extension/core/masks/cells';
import { addCellEnergies, energyCells } from '../../../extension/core/masks/energy';
import { effectiveGain } from '../../../extension/core/masks/symmetry';
import { anyGrid } from './support/arbitraries';

/** A grid and a half spectrum of magnitudes on it. */
const anySpectrum = () => anyGrid().chain((grid) => {
  const bins = grid.fftSize / 2 + 1;
  return fc.float32Array({ minLength: bins, maxLength: bins, min: 0, max: 10, noNaN: true }).map((magnitudes) => ({ grid, magnitudes }));
});

describe('energy cells', () => {
  it('sums a half spectrum over all N frequencies', () => {
    fc.assert(fc.property(anySpectrum(), ({ grid, magnitudes }) => {
      const digits = mapDigits(grid);
      const sums = new Float64Array(cellCount(grid, digits));
      addCellEnergies(sums, magnitudes, cellOfFrequency(grid, digits));
      let total = 0;
      for (let f = 0; f < grid.fftSize; f++) total += magnitudes[Math.min(f, grid.fftSize - f)] ** 2;
      assert.ok(Math.abs(sums.reduce((a, b) => a + b, 0) - total) <= 1e-9 * total);
    }));
  });

  it('reach the fraction with mirrors together, and need their last pair', () => {
    fc.assert(fc.property(anySpectrum(), fc.double({ min: 0.01, max: 0.999, noNaN: true }), ({ grid, magnitudes }, fraction) => {
      const digits = mapDigits(grid);
      const energies = new Float64Array(cellCount(grid, digits));
      addCellEnergies(energies, magnitudes, cellOfFrequency(grid, digits));
      const total = energies.reduce((a, b) => a + b, 0);
      fc.pre(total > 0);
      const cells = energyCells(energies, grid, digits, fraction);
      assert.deepEqual(mirrorCells(cells, grid), cells);
      const flags = cellFlags(cells, grid);
      const inside = energies.filter((_, cell) => flags[cell] === 1);
      const kept = inside.reduce((a, b) => a + b, 0);
      assert.ok(kept >= fraction * total * (1 - 1e-9));
      assert.ok(kept - 2 * Math.max(...inside) <= fraction * total * (1 + 1e-9), 'no more cells than it takes');
      // What really acts, mirrors of row n1 = 0 included, holds at least as much.
      const gain = effectiveGain({ grid, symmetry: 'conjugate', keep: { kind: 'energy', fraction, cells } });
      let acting = 0;
      for (let f = 0; f < grid.fftSize; f++) acting += gain[Math.min(f, grid.fftSize - f)] * magnitudes[Math.min(f, grid.fftSize - f)] ** 2;
      assert.ok(acting >= kept * (1 - 1e-9));
    }));
  });

  it('keep the strongest pairs, every cell for fraction 1, and order ties by index', () => {
    const grid = { fftSize: 16, factors: [4, 4], taps: 8 };
    const energies = Float64Array.of(1, 5, 1, 5);
    assert.deepEqual(energyCells(energies, grid, [0], 0.8), { digits: [0], runs: [1, 1, 3, 1] });
    assert.deepEqual(energyCells(energies, grid, [0], 0.85), { digits: [0], runs: [0, 2, 3, 1] });
    assert.equal(cellsInSet(energyCells(Float64Array.of(1, 0, 0, 0), grid, [0], 1)), 4);
    assert.equal(cellsInSet(energyCells(new Float64Array(4), grid, [0], 0.5)), 0);
  });
});
