import * as assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  cellCount, cellFlags, cellIndex, cellOfFrequency, cellSet, cellsInSet, cellsProblem, cellValues, changeCells, mapDigits, mirrorCell, mirrorCells,
} from '../../../extension/core/masks/cells';
import { digitsOfFrequency } from '../../../extension/core/masks/grid';
import { anyCells, anyDigits, emptyCells } from './support/arbitraries';

const GRID = { fftSize: 2048, factors: [16, 16, 8], taps: 1024 };

describe('cells', () => {
  it('convert between flags and canonical runs', () => {
    assert.deepEqual(cellSet(Uint8Array.of(1, 1, 0, 1, 0, 0, 1), [0]).runs, [0, 2, 3, 1, 6, 1]);
    fc.assert(fc.property(anyCells(), ({ grid, digits, flags }) => {
      const cells = cellSet(flags, digits);
      assert.deepEqual(cellFlags(cells, grid), flags);
      assert.equal(cellsInSet(cells), flags.reduce((a, b) => a + b, 0));
      assert.equal(cellsProblem(cells, grid), undefined);
    }));
  });

  it('hold the frequencies with their digits, the first listed fastest', () => {
    fc.assert(fc.property(anyDigits(), ({ grid, digits }) => {
      const cells = cellOfFrequency(grid, digits);
      assert.equal(cells.length, grid.fftSize);
      for (let f = 0; f < grid.fftSize; f += 1 + Math.floor(grid.fftSize / 50)) {
        const values = digitsOfFrequency(f, grid.factors);
        const split = digits.map((digit) => values[digit]);
        assert.equal(cells[f], cellIndex(split, grid, digits));
        assert.deepEqual(cellValues(cells[f], grid, digits), split);
      }
    }));
    assert.deepEqual(mapDigits(GRID), [0, 2]);
    assert.deepEqual(mapDigits({ factors: [64] }), [0]);
    assert.equal(cellCount(GRID, [0, 2]), 128);
    assert.equal(cellIndex([3, 5], GRID, [0, 2]), 3 + 16 * 5);
  });

  it('are mirrored by an involution', () => {
    fc.assert(fc.property(anyCells(), ({ grid, digits, flags }) => {
      const cells = cellSet(flags, digits);
      assert.deepEqual(mirrorCells(mirrorCells(cells, grid), grid), cells);
    }));
  });

  it('are mirrored to where at least half of their mirrors lie, and all when every digit is split', () => {
    fc.assert(fc.property(anyDigits(), ({ grid, digits }) => {
      const cells = cellOfFrequency(grid, digits);
      const count = cellCount(grid, digits);
      const hits = new Float64Array(count);
      cells.forEach((cell, f) => {
        hits[cell] += cells[(grid.fftSize - f) % grid.fftSize] === mirrorCell(cell, grid, digits) ? 1 : 0;
      });
      const size = grid.fftSize / count;
      assert.ok(hits.every((hit) => hit >= size / 2));
      assert.ok(digits.length < grid.factors.length || hits.every((hit) => hit === size));
    }));
    assert.equal(mirrorCell(cellIndex([3, 5], GRID, [0, 2]), GRID, [0, 2]), cellIndex([13, 2], GRID, [0, 2]));
    assert.equal(mirrorCell(cellIndex([0, 5], GRID, [0, 2]), GRID, [0, 2]), cellIndex([0, 2], GRID, [0, 2]));
    assert.equal(mirrorCell(0, GRID, [0]), 0);
    assert.equal(mirrorCell(8, GRID, [0]), 8);
  });

  it('are added, removed and toggled', () => {
    const drawn = changeCells(emptyCells([0]), GRID, [1, 2, 2, 5, 99, -1], 'add');
    assert.deepEqual(drawn, { digits: [0], runs: [1, 2, 5, 1] });
    assert.deepEqual(changeCells(drawn, GRID, [2], 'remove').runs, [1, 1, 5, 1]);
    assert.deepEqual(changeCells(drawn, GRID, [2, 2, 3], 'toggle').runs, [1, 1, 3, 1, 5, 1]);
    fc.assert(fc.property(anyCells(), fc.array(fc.nat(300)), ({ grid, digits, flags }, stroke) => {
      const cells = cellSet(flags, digits);
      assert.deepEqual(changeCells(changeCells(cells, grid, stroke, 'toggle'), grid, stroke, 'toggle'), cells);
    }));
  });

  it('are refused outside the grid and out of order', () => {
    const problem = (digits: number[], runs: number[]): string | undefined => cellsProblem({ digits, runs }, GRID)?.message;
    assert.match(problem([3], [0, 1]) ?? '', /3 is not a digit of the grid 16x16x8, whose digits are 0 to 2/);
    assert.match(problem([0, 0], [0, 1]) ?? '', /each only once/);
    assert.match(problem([0], [0]) ?? '', /pairs/);
    assert.match(problem([0], [15, 2]) ?? '', /outside the grid's 16 cells/);
    assert.match(problem([0], [4, 2, 5, 1]) ?? '', /overlap or precede/);
    assert.match(problem([0], [4, 0]) ?? '', /at least 1/);
    assert.equal(problem([0], []), undefined);
    assert.equal(problem([0], [0, 16]), undefined);
  });
});
