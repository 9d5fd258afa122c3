/**
 * Half spectrum of a real row: bins 0..n/2 as (real, imaginary) pairs, X[f] = sum_t x[t] exp(-2 pi i f t / n). n is a power of two.
 * Radix-2 in float64, in place on bit-reversed input.
 */
export function realSpectrum(row: ArrayLike<number>): Float64Array {
  const n = row.length;
  const re = new Float64Array(n);
  const im = new Float64Array(n);
  for (let t = 0, reversed = 0; t < n; t++) {
    re[reversed] = row[t];
    let bit = n >> 1;
    for (; reversed & bit; bit >>= 1) reversed ^= bit;
    reversed |= bit;
  }
  const { cos, sin } = twiddles(n);
  for (let half = 1; half < n; half *= 2) {
    const stride = n / (2 * half);
    for (let start = 0; start < n; start += 2 * half) {
      for (let j = 0; j < half; j++) {
        const a = start + j;
        const b = a + half;
        const c = cos[j * stride];
        const s = sin[j * stride];
        const re1 = re[b] * c - im[b] * s;
        const im1 = re[b] * s + im[b] * c;
        re[b] = re[a] - re1;
        im[b] = im[a] - im1;
        re[a] += re1;
        im[a] += im1;
      }
    }
  }
  const pairs = new Float64Array(2 * (Math.floor(n / 2) + 1));
  for (let f = 0; f <= n / 2; f++) {
    pairs[2 * f] = re[f];
    pairs[2 * f + 1] = im[f];
  }
  return pairs;
}

let table: { readonly n: number; readonly cos: Float64Array; readonly sin: Float64Array } | undefined;

/** exp(-2 pi i j / n) for j < n/2; the newest size is kept, because all rows of a site have it. */
function twiddles(n: number): { readonly cos: Float64Array; readonly sin: Float64Array } {
  if (table?.n !== n) {
    const angles = Float64Array.from({ length: n / 2 }, (_, j) => (-2 * Math.PI * j) / n);
    table = { n, cos: angles.map(Math.cos), sin: angles.map(Math.sin) };
  }
  return table;
}
