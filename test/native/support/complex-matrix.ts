import { add, complex, over, scaled, times, type Complex } from '../../../extension/core/families/shared/modal-filter';

/** Dense complex matrices in float64, by the textbook. */
export type ComplexMatrix = readonly (readonly Complex[])[];

export const matrixOf = (rows: number, columns: number, of: (i: number, j: number) => Complex): ComplexMatrix =>
  Array.from({ length: rows }, (_, i) => Array.from({ length: columns }, (__, j) => of(i, j)));

export const identity = (n: number): ComplexMatrix => matrixOf(n, n, (i, j) => complex(i === j ? 1 : 0));

/** a + factor b */
export const plus = (a: ComplexMatrix, b: ComplexMatrix, factor = 1): ComplexMatrix => a.map((row, i) => row.map((value, j) => add(value, scaled(b[i][j], factor))));

export const multiplied = (a: ComplexMatrix, b: ComplexMatrix): ComplexMatrix =>
  a.map((row) => b[0].map((_, j) => {
    let [re, im] = [0, 0];
    row.forEach((left, i) => {
      const right = b[i][j];
      re += left.re * right.re - left.im * right.im;
      im += left.re * right.im + left.im * right.re;
    });
    return complex(re, im);
  }));

/** a^-1 b, by Gauss and Jordan with partial pivoting. */
export function solved(a: ComplexMatrix, b: ComplexMatrix): ComplexMatrix {
  const rows = a.map((row, i) => [...row, ...b[i]]);
  const n = a.length;
  const size = ({ re, im }: Complex): number => Math.hypot(re, im);
  for (let c = 0; c < n; c++) {
    const pivot = rows.reduce((best, row, i) => (i > c && size(row[c]) > size(rows[best][c]) ? i : best), c);
    [rows[c], rows[pivot]] = [rows[pivot], rows[c]];
    const head = rows[c][c];
    rows[c] = rows[c].map((value) => over(value, head));
    rows.forEach((row, i) => {
      if (i === c) return;
      const factor = scaled(row[c], -1);
      rows[i] = row.map((value, j) => add(value, times(factor, rows[c][j])));
    });
  }
  return rows.map((row) => row.slice(n));
}
