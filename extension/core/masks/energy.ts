import type { CellSet, MonarchGrid } from '../plan/plan';
import { cellSet, mirrorCell } from './cells';

/** Adds the energies of one spectrum |K(f)|, f = 0..N/2, to the [cells] sums over all N frequencies. */
export function addCellEnergies(sums: Float64Array, magnitudes: Float32Array, cellOf: Int32Array): void {
  const n = cellOf.length;
  for (let f = 0; f <= n / 2; f++) {
    const energy = magnitudes[f] * magnitudes[f];
    sums[cellOf[f]] += energy;
    if (f > 0 && f < n / 2) {
      sums[cellOf[n - f]] += energy;
    }
  }
}

/**
 * The cells of most energy, a cell together with its mirror, until they hold at least `fraction` of the total energy.
 * Pairs are ranked by energy per cell, equal ones by index, so the outcome is reproducible; fraction 1 keeps every cell.
 */
export function energyCells(energies: Float64Array, grid: MonarchGrid, digits: readonly number[], fraction: number): CellSet {
  if (fraction >= 1) {
    return cellSet(new Uint8Array(energies.length).fill(1), digits);
  }
  const pairs: { readonly cells: readonly number[]; readonly energy: number }[] = [];
  energies.forEach((energy, cell) => {
    const mirror = mirrorCell(cell, grid, digits);
    if (mirror === cell) {
      pairs.push({ cells: [cell], energy });
    } else if (mirror > cell) {
      pairs.push({ cells: [cell, mirror], energy: energy + energies[mirror] });
    }
  });
  pairs.sort((a, b) => b.energy / b.cells.length - a.energy / a.cells.length || a.cells[0] - b.cells[0]);
  const total = pairs.reduce((sum, pair) => sum + pair.energy, 0);
  const flags = new Uint8Array(energies.length);
  let kept = 0;
  for (const pair of pairs) {
    if (kept >= fraction * total) {
      break;
    }
    pair.cells.forEach((cell) => (flags[cell] = 1));
    kept += pair.energy;
  }
  return cellSet(flags, digits);
}
