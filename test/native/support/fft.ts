/** Cosines and sines of 2 pi k / n, k = 0..n/2-1, kept for each size. */
const TABLES = new Map<number, { readonly cos: Float64Array; readonly sin: Float64Array }>();

function tables(n: number): { readonly cos: Float64Array; readonly sin: Float64Array } {
  let entry = TABLES.get(n);
  if (!entry) {
    entry = { cos: new Float64Array(n / 2), sin: new Float64Array(n / 2) };
    for (let k = 0; k < n / 2; k++) {
      entry.cos[k] = Math.cos((2 * Math.PI * k) / n);
      entry.sin[k] = Math.sin((2 * Math.PI * k) / n);
    }
    TABLES.set(n, entry);
  }
  return entry;
}

/**
 * The textbook radix-2 transform in float64, in place: X[f] = sum_t x[t] exp(-2 pi i f t / n), n a power of two. The inverse without
 * its 1/n is the same call with the arrays exchanged.
 */
export function fft(re: Float64Array, im: Float64Array): void {
  const n = re.length;
  if (n !== im.length || (n & (n - 1)) !== 0) throw new Error(`no transform of ${n} and ${im.length} points`);
  for (let i = 1, j = 0; i < n; i++) {
    let bit = n >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) {
      const x = re[i];
      re[i] = re[j];
      re[j] = x;
      const y = im[i];
      im[i] = im[j];
      im[j] = y;
    }
  }
  const { cos, sin } = tables(n);
  for (let half = 1; half < n; half *= 2) {
    const step = n / (2 * half);
    for (let start = 0; start < n; start += 2 * half) {
      for (let k = 0, w = 0; k < half; k++, w += step) {
        const a = start + k;
        const b = a + half;
        const tr = re[b] * cos[w] + im[b] * sin[w];
        const ti = im[b] * cos[w] - re[b] * sin[w];
        re[b] = re[a] - tr;
        im[b] = im[a] - ti;
        re[a] += tr;
        im[a] += ti;
      }
    }
  }
}
