import { cellCount, cellFlags, changeCells, mapDigits, mirrorCell } from '../../extension/core/masks/cells';
import { cellGains, effectiveGain, keptCells } from '../../extension/core/masks/symmetry';
import type { FrequencyMask, MonarchGrid } from '../../extension/core/protocol/webview';
import type { CellPlace } from '../plots/scale';

/** Index of a cell of the editor's map (row n1, column = last digit) in a CellSet over mapDigits. */
export const cellOfPlace = (place: CellPlace, grid: MonarchGrid): number => place.row + grid.factors[0] * (mapDigits(grid).length > 1 ? place.column : 0);

/**
 * The mask after a stroke over cells of the map. Whatever the pattern was, it becomes painted cells: those that were kept, with
 * the stroke's added or removed. Where a cell and its mirror act together, the stroke changes both, or removing one of
 * them would change nothing.
 */
export function paintCells(mask: FrequencyMask, places: readonly CellPlace[], add: boolean): FrequencyMask {
  const { grid } = mask;
  const digits = mapDigits(grid);
  const cells = (mask.keep.kind === 'cells' || mask.keep.kind === 'energy') && String(mask.keep.cells.digits) === String(digits)
    ? mask.keep.cells : keptCells(effectiveGain(mask), grid, digits);
  const painted = places.map(place => cellOfPlace(place, grid));
  const mirrors = mask.symmetry === 'conjugate' ? painted.map(cell => mirrorCell(cell, grid, digits)) : [];
  return { ...mask, keep: { kind: 'cells', cells: changeCells(cells, grid, [...painted, ...mirrors], add ? 'add' : 'remove') } };
}

/** Whether the mask keeps no cell at all: a filter of zeros, which no plan may hold. */
export function keepsNothing(mask: FrequencyMask): boolean {
  return (mask.keep.kind === 'cells' || mask.keep.kind === 'energy') && mask.keep.cells.runs.length === 0;
}

/** [rows * columns] mean effective gain of each cell of the map, row-major as it is drawn. */
export function mapGains(mask: FrequencyMask): Float64Array {
  const { grid } = mask;
  const digits = mapDigits(grid);
  const byCell = cellGains(effectiveGain(mask), grid, digits);
  const rows = grid.factors[0];
  const columns = cellCount(grid, digits) / rows;
  const gains = new Float64Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) gains[row * columns + column] = byCell[row + rows * column];
  }
  return gains;
}

/** Cells that a set holds, and how many there are. */
export function keptCount(mask: FrequencyMask): { kept: number; of: number } {
  const digits = mask.keep.kind === 'cells' || mask.keep.kind === 'energy' ? mask.keep.cells.digits : mapDigits(mask.grid);
  const of = cellCount(mask.grid, digits);
  const cells = mask.keep.kind === 'cells' || mask.keep.kind === 'energy' ? cellFlags(mask.keep.cells, mask.grid) : undefined;
  return { kept: cells ? cells.reduce((sum, flag) => sum + flag, 0) : of, of };
}
