import type { CellSet, MonarchGrid } from '../plan/plan';
import type { FieldProblem } from './grid';

/**
 * Cells of a Monarch grid: all frequencies that agree in the split digits. A cell's index is mixed radix over the split
 * digits, the first listed fastest. Flags (Uint8Array, 1 = in the set) are the form to compute with, CellSet the form in files.
 */
type Factors = Pick<MonarchGrid, 'factors'>;

/** Split digits of the editor's map: comb row (n1) by band (np); a one-digit grid has only n1. */
export function mapDigits(grid: Factors): readonly number[] {
  return grid.factors.length === 1 ? [0] : [0, grid.factors.length - 1];
}

/** Number of cells that the digits split the grid into. */
export function cellCount(grid: Factors, digits: readonly number[]): number {
  return digits.reduce((count, digit) => count * grid.factors[digit], 1);
}

/** Index of the cell with these values of the split digits, in the order of `digits`. */
export function cellIndex(values: readonly number[], grid: Factors, digits: readonly number[]): number {
  return digits.reduceRight((index, digit, i) => index * grid.factors[digit] + values[i], 0);
}

/** Values of the split digits of a cell, in the order of `digits`. */
export function cellValues(index: number, grid: Factors, digits: readonly number[]): number[] {
  let rest = index;
  return digits.map((digit) => {
    const value = rest % grid.factors[digit];
    rest = (rest - value) / grid.factors[digit];
    return value;
  });
}

/** [N] cell index of every frequency f = 0..N-1. One pass, without divisions: digit i repeats all that lies below it. */
export function cellOfFrequency(grid: MonarchGrid, digits: readonly number[]): Readonly<Int32Array> {
  const key = `${grid.factors.join('x')} ${digits.join()}`;
  if (last?.key !== key) last = { key, cells: makeCellOfFrequency(grid, digits) };
  return last.cells;
}

/** While a mask is drawn, every step asks for the cells of the same grid, of up to millions of frequencies. */
let last: { readonly key: string; readonly cells: Readonly<Int32Array> } | undefined;

function makeCellOfFrequency(grid: MonarchGrid, digits: readonly number[]): Int32Array {
  const strides = new Array<number>(grid.factors.length).fill(0);
  let stride = 1;
  for (const digit of digits) {
    strides[digit] = stride;
    stride *= grid.factors[digit];
  }
  const cells = new Int32Array(grid.fftSize);
  let period = 1;
  grid.factors.forEach((factor, i) => {
    for (let n = 1; n < factor; n++) {
      const base = n * period;
      if (strides[i] === 0) {
        cells.copyWithin(base, 0, period);
        continue;
      }
      const offset = n * strides[i];
      for (let f = 0; f < period; f++) {
        cells[base + f] = cells[f] + offset;
      }
    }
    period *= factor;
  });
  return cells;
}

/** [cells] 1 where the cell is in the set. */
export function cellFlags(cells: CellSet, grid: Factors): Uint8Array {
  const flags = new Uint8Array(cellCount(grid, cells.digits));
  for (let i = 0; i + 1 < cells.runs.length; i += 2) {
    flags.fill(1, cells.runs[i], cells.runs[i] + cells.runs[i + 1]);
  }
  return flags;
}

/** The set in canonical form: ascending runs that neither touch nor overlap. */
export function cellSet(flags: Uint8Array, digits: readonly number[]): CellSet {
  const runs: number[] = [];
  for (let i = 0; i < flags.length; i++) {
    if (flags[i] === 0) {
      continue;
    }
    const first = i;
    while (i < flags.length && flags[i] !== 0) {
      i++;
    }
    runs.push(first, i - first);
  }
  return { digits: [...digits], runs };
}

/** Number of cells in the set. */
export function cellsInSet(cells: CellSet): number {
  return cells.runs.reduce((sum, value, i) => (i % 2 === 1 ? sum + value : sum), 0);
}

/** The set with the given cells added, removed or toggled: one stroke of the editor's brush. */
export function changeCells(cells: CellSet, grid: Factors, indices: Iterable<number>, change: 'add' | 'remove' | 'toggle'): CellSet {
  const flags = cellFlags(cells, grid);
  for (const index of new Set(indices)) {
    if (index >= 0 && index < flags.length) {
      flags[index] = change === 'toggle' ? 1 - flags[index] : change === 'add' ? 1 : 0;
    }
  }
  return cellSet(flags, cells.digits);
}

/**
 * The cell that holds the mirrors N-f of a cell's frequencies. Digit n_i mirrors to N_i-1-n_i, or to -n_i mod N_i where every
 * digit below is 0 and nothing is borrowed. Digits that are not split count as non-zero here: only where all of them are 0
 * (at most half of the cell, usually one frequency in it) does the mirror lie in a neighbouring cell. An involution.
 */
export function mirrorCell(index: number, grid: Factors, digits: readonly number[]): number {
  const values = cellValues(index, grid, digits);
  const mirrored = [...values];
  let borrowed = false;
  grid.factors.forEach((factor, digit) => {
    const at = digits.indexOf(digit);
    if (at < 0) {
      borrowed = true;
      return;
    }
    mirrored[at] = borrowed ? factor - 1 - values[at] : (factor - values[at]) % factor;
    borrowed ||= values[at] !== 0;
  });
  return cellIndex(mirrored, grid, digits);
}

/** The mirror of every cell of the set; see mirrorCell. */
export function mirrorCells(cells: CellSet, grid: Factors): CellSet {
  const flags = cellFlags(cells, grid);
  const mirrored = new Uint8Array(flags.length);
  flags.forEach((flag, index) => {
    if (flag !== 0) {
      mirrored[mirrorCell(index, grid, cells.digits)] = 1;
    }
  });
  return cellSet(mirrored, cells.digits);
}

/** What is wrong with a cell set on this grid, or undefined. */
export function cellsProblem(cells: CellSet, grid: Factors): FieldProblem | undefined {
  const outside = cells.digits.find((digit) => !Number.isInteger(digit) || digit < 0 || digit >= grid.factors.length);
  if (outside !== undefined) {
    const last = grid.factors.length - 1;
    return { field: 'digits', message: `${outside} is not a digit of the grid ${grid.factors.join('x')}, whose digits are 0 to ${last}` };
  }
  if (cells.digits.length === 0 || new Set(cells.digits).size !== cells.digits.length) {
    return { field: 'digits', message: `[${cells.digits.join(', ')}] must name at least one digit, and each only once` };
  }
  if (cells.runs.length % 2 !== 0) {
    return { field: 'runs', message: `${cells.runs.length} numbers do not form [first, count] pairs` };
  }
  const count = cellCount(grid, cells.digits);
  let end = 0;
  for (let i = 0; i < cells.runs.length; i += 2) {
    const [first, length] = [cells.runs[i], cells.runs[i + 1]];
    const where = `cells ${first} to ${first + length - 1} of run ${i / 2}`;
    if (first < end) {
      return { field: 'runs', message: `${where} overlap or precede the run before, which ends at ${end - 1}` };
    }
    if (length < 1) {
      return { field: 'runs', message: `run ${i / 2} has ${length} cells, but needs at least 1` };
    }
    if (first + length > count) {
      return { field: 'runs', message: `${where} lie outside the grid's ${count} cells` };
    }
    end = first + length;
  }
  return undefined;
}
