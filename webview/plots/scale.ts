/** Pure arithmetic of visible ranges and of the places of values on an axis. Ranges are half open, in whole lags or bins. */
export type Range = readonly [number, number];

/** Fewest lags or bins that a plot shows. */
const MINIMUM_WIDTH = 8;

/** Moves and shrinks a wish so that it is whole, inside `full` and not narrower than a plot can show. */
export function clampRange([from, to]: Range, full: Range): Range {
  const most = full[1] - full[0];
  const width = Math.min(most, Math.max(Math.min(MINIMUM_WIDTH, most), Math.round(to - from)));
  const start = Math.min(Math.max(full[0], Math.round(from)), full[1] - width);
  return [start, start + width];
}

/** Zooms by `factor` (below 1: in) and keeps the value `around` where it is on the screen. */
export function zoomRange([from, to]: Range, factor: number, around: number, full: Range): Range {
  return clampRange([around - (around - from) * factor, around + (to - around) * factor], full);
}

/** Moves by a share of the visible width. */
export function panRange([from, to]: Range, share: number, full: Range): Range {
  const step = Math.sign(share) * Math.max(1, Math.round(Math.abs(share) * (to - from)));
  return clampRange([from + step, to + step], full);
}

export const sameRange = (a: Range, b: Range): boolean => a[0] === b[0] && a[1] === b[1];

/** Index of the column of `x` (ascending column starts) that holds `value`; 0 before the first. */
export function columnAt(x: Float64Array, value: number): number {
  let low = 0;
  let high = x.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (x[middle] <= value) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** Magnitude to decibels relative to `reference`, not below `floor`. */
export function decibels(magnitude: number, reference: number, floor: number): number {
  return magnitude > 0 && reference > 0 ? Math.max(floor, 20 * Math.log10(magnitude / reference)) : floor;
}

/** A cell of a map. */
export interface CellPlace { readonly row: number; readonly column: number }

/** The cell of a rows x columns map drawn over width x height that a point lies in; null outside. */
export function cellAt(x: number, y: number, width: number, height: number, rows: number, columns: number): CellPlace | null {
  if (x < 0 || y < 0 || x >= width || y >= height) return null;
  return { row: Math.floor((y / height) * rows), column: Math.floor((x / width) * columns) };
}

/** The cells on the straight way between two cells, both included: a quick stroke leaves no gaps. */
export function cellsBetween(from: CellPlace, to: CellPlace): CellPlace[] {
  const steps = Math.max(Math.abs(to.row - from.row), Math.abs(to.column - from.column));
  const at = (a: number, b: number, i: number): number => Math.round(a + ((b - a) * i) / Math.max(1, steps));
  return Array.from({ length: steps + 1 }, (_, i) => ({ row: at(from.row, to.row, i), column: at(from.column, to.column, i) }));
}
