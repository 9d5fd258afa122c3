/** Small dense real matrices, row-major [n, n] in float64. */

/** M^exponent by repeated squaring. */
export function power(matrix: Float64Array, n: number, exponent: number): Float64Array {
  let result: Float64Array | undefined;
  let square = matrix;
  for (let rest = exponent; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) result = result ? multiply(result, square, n) : square;
    if (rest > 1) square = multiply(square, square, n);
  }
  return result ?? identityMinus(new Float64Array(n * n), n);
}

/** I - M */
export function identityMinus(matrix: Float64Array, n: number): Float64Array {
  return matrix.map((value, i) => (i % (n + 1) === 0 ? 1 : 0) - value);
}

function multiply(a: Float64Array, b: Float64Array, n: number): Float64Array {
  const out = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < n; k++) {
      const factor = a[i * n + k];
      for (let j = 0; j < n; j++) out[i * n + j] += factor * b[k * n + j];
    }
  }
  return out;
}

/** The row y with y M = row, by elimination with partial pivoting. M is not changed. */
export function solveTransposed(matrix: Float64Array, row: Float64Array): Float64Array<ArrayBuffer> {
  const n = row.length;
  const m = new Float64Array(n * n);
  for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) m[j * n + i] = matrix[i * n + j];
  const y = Float64Array.from(row);
  for (let c = 0; c < n; c++) {
    let pivot = c;
    for (let r = c + 1; r < n; r++) if (Math.abs(m[r * n + c]) > Math.abs(m[pivot * n + c])) pivot = r;
    if (pivot !== c) {
      for (let j = c; j < n; j++) [m[c * n + j], m[pivot * n + j]] = [m[pivot * n + j], m[c * n + j]];
      [y[c], y[pivot]] = [y[pivot], y[c]];
    }
    for (let r = c + 1; r < n; r++) {
      const factor = m[r * n + c] / m[c * n + c];
      for (let j = c; j < n; j++) m[r * n + j] -= factor * m[c * n + j];
      y[r] -= factor * y[c];
    }
  }
  for (let r = n - 1; r >= 0; r--) {
    for (let j = r + 1; j < n; j++) y[r] -= m[r * n + j] * y[j];
    y[r] /= m[r * n + r];
  }
  return y;
}
