import type { LowRankFilterRequest } from '../../../extension/core/engine/engine';

/** Row-major. */
interface Matrix { readonly rows: number; readonly columns: number; readonly values: Float64Array }

/**
 * The low-rank filter by its equation, in float64: dense matrices, and one product with dA for each lag. On the real and imaginary parts of the stored
 * states, A x = poles x - P (P^H x + its conjugate) is real, because the other states are their conjugates.
 */
export function lowRankFilter({ channels, states, rank, poles, lowRank, inputs, outputs, steps, tuned = 0, first, count, output }: LowRankFilterRequest): void {
  const size = 2 * states;
  /** Parts of row `row`: [Re, Im]. */
  const parts = ({ re, im }: { re: Float64Array; im: Float64Array }, row: number): number[] => [...re.subarray(row * states, (row + 1) * states), ...im.subarray(row * states, (row + 1) * states)];
  for (let c = 0; c < channels; c++) {
    const lambda = parts(poles, c);
    const P = Array.from({ length: rank }, (_, r) => parts(lowRank, c * rank + r));
    const A = matrixOf(size, size, (i, j) => {
      const diagonal = i === j ? lambda[i % states] : i + states === j ? -lambda[j] : i === j + states ? lambda[i] : 0;
      return P.reduce((sum, p) => sum - 2 * p[i] * p[j], diagonal);
    });
    const ahead = plusIdentity(A, steps[c] / 2);
    const behind = plusIdentity(A, -steps[c] / 2);
    const step = solved(behind, ahead);
    const B = parts(inputs, c).map((value) => value * steps[c]);
    let x = multiplied(power(step, first), solved(behind, matrixOf(size, 1, (i) => B[i])));
    let C = matrixOf(1, size, (_, i) => (i < states ? 2 : -2) * parts(outputs, c)[i]);
    if (tuned > 0) C = transposed(solved(transposed(plusIdentity(power(step, tuned), -1)), transposed(C)));
    for (let j = 0; j < count; j++) {
      output[c * count + j] = multiplied(C, x).values[0];
      x = multiplied(step, x);
    }
  }
}

function matrixOf(rows: number, columns: number, of: (i: number, j: number) => number): Matrix {
  return { rows, columns, values: Float64Array.from({ length: rows * columns }, (_, at) => of(Math.floor(at / columns), at % columns)) };
}

/** I + factor M */
const plusIdentity = ({ rows, columns, values }: Matrix, factor: number): Matrix => ({ rows, columns, values: values.map((value, i) => (i % (columns + 1) === 0 ? 1 : 0) + factor * value) });
const transposed = ({ rows, columns, values }: Matrix): Matrix => matrixOf(columns, rows, (i, j) => values[j * columns + i]);

function multiplied(a: Matrix, b: Matrix): Matrix {
  const values = new Float64Array(a.rows * b.columns);
  for (let i = 0; i < a.rows; i++) {
    for (let k = 0; k < a.columns; k++) {
      const factor = a.values[i * a.columns + k];
      for (let j = 0; j < b.columns; j++) values[i * b.columns + j] += factor * b.values[k * b.columns + j];
    }
  }
  return { rows: a.rows, columns: b.columns, values };
}

/** M^exponent, by halves of the exponent. */
function power(matrix: Matrix, exponent: number): Matrix {
  if (exponent === 0) return matrixOf(matrix.rows, matrix.rows, (i, j) => (i === j ? 1 : 0));
  if (exponent === 1) return matrix;
  const half = power(matrix, Math.floor(exponent / 2));
  const even = multiplied(half, half);
  return exponent % 2 ? multiplied(even, matrix) : even;
}

/** M^-1 right, by Gauss and Jordan with partial pivoting. */
function solved(matrix: Matrix, right: Matrix): Matrix {
  const n = matrix.rows;
  const rows = Array.from({ length: n }, (_, i) =>
    Float64Array.of(...matrix.values.subarray(i * n, (i + 1) * n), ...right.values.subarray(i * right.columns, (i + 1) * right.columns)));
  for (let c = 0; c < n; c++) {
    let pivot = c;
    for (let i = c + 1; i < n; i++) if (Math.abs(rows[i][c]) > Math.abs(rows[pivot][c])) pivot = i;
    [rows[c], rows[pivot]] = [rows[pivot], rows[c]];
    const head = rows[c];
    const first = head[c];
    for (let j = c; j < head.length; j++) head[j] /= first;
    for (const row of rows) {
      const factor = row[c];
      if (row === head || factor === 0) continue;
      for (let j = c; j < row.length; j++) row[j] -= factor * head[j];
    }
  }
  return matrixOf(n, right.columns, (i, j) => rows[i][n + j]);
}
