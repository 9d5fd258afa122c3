import assert from 'node:assert/strict';
import fc from 'fast-check';
import { effectiveGain, keptFraction } from '../../../extension/core/masks/symmetry';
import type { FrequencyMask, MonarchGrid, Symmetry } from '../../../extension/core/plan/plan';
import { keepsNothing, keptCount, mapGains, paintCells } from '../../../webview/plan/cell-painting';
import { cellsBetween } from '../../../webview/plots/scale';
import type { CellPlace } from '../../../webview/plots/scale';

const grid: MonarchGrid = { fftSize: 2048, factors: [16, 16, 8], taps: 1024 };
const everything = (symmetry: Symmetry): FrequencyMask => ({ grid, symmetry, keep: { kind: 'lowpass', fraction: 1 } });
const place = fc.record<CellPlace>({ row: fc.integer({ min: 0, max: 15 }), column: fc.integer({ min: 0, max: 7 }) }, { noNullPrototype: true });
const gainAt = (mask: FrequencyMask, { row, column }: CellPlace): number => mapGains(mask)[row * 8 + column];

describe('painting Monarch cells', () => {
  it('drops the painted cells under conjugate symmetry, but for bins shared with a neighbour, and keeps the others', () => {
    fc.assert(fc.property(fc.array(place, { minLength: 1, maxLength: 20 }), places => {
      const mask = paintCells(everything('conjugate'), places, false);
      if (keepsNothing(mask)) return;
      // Row 0 mirrors into itself with its first bin in the next cell: that one bin of 16 may stay.
      for (const cell of places) assert.ok(gainAt(mask, cell) <= (cell.row === 0 ? 1 / 16 : 0));
    }), { numRuns: 40 });
  });

  it('brings back what it dropped', () => {
    fc.assert(fc.property(fc.array(place, { minLength: 1, maxLength: 8 }), fc.constantFrom<Symmetry>('conjugate', 'gain'), (places, symmetry) => {
      const back = paintCells(paintCells(everything(symmetry), places, false), places, true);
      assert.equal(keptFraction(effectiveGain(back)), 1);
    }), { numRuns: 40 });
  });

  it('halves the gain of a cell whose mirror stays, with symmetry gain', () => {
    const mask = paintCells(everything('gain'), [{ row: 3, column: 2 }], false);
    assert.equal(gainAt(mask, { row: 3, column: 2 }), 0.5);
    assert.equal(gainAt(mask, { row: 13, column: 5 }), 0.5);
    assert.deepEqual(keptCount(mask), { kept: 127, of: 128 });
  });

  it('starts from the cells that another pattern kept', () => {
    const comb: FrequencyMask = { grid, symmetry: 'gain', keep: { kind: 'comb', rows: 4 } };
    const mask = paintCells(comb, [{ row: 0, column: 0 }], false);
    assert.equal(mask.keep.kind, 'cells');
    assert.ok(gainAt(mask, { row: 2, column: 3 }) > 0);
    assert.equal(gainAt(mask, { row: 8, column: 3 }), 0);
  });

  it('tells when nothing is left', () => {
    const all = Array.from({ length: 128 }, (_, i): CellPlace => ({ row: i % 16, column: Math.floor(i / 16) }));
    assert.ok(keepsNothing(paintCells(everything('conjugate'), all, false)));
    assert.ok(!keepsNothing(everything('conjugate')));
  });

  it('leaves no gap in a quick stroke', () => {
    fc.assert(fc.property(place, place, (from, to) => {
      const cells = cellsBetween(from, to);
      assert.deepEqual([cells[0], cells.at(-1)], [from, to]);
      cells.slice(1).forEach((cell, i) => assert.ok(Math.abs(cell.row - cells[i].row) <= 1 && Math.abs(cell.column - cells[i].column) <= 1));
    }));
  });
});
