/** Discrete Fourier transforms in float64, of any length: powers of two by radix 2, others by Bluestein's chirp. */

/** In place: X[f] = sum_t x[t] exp(-+ 2 pi i f t / n), - forward and + inverse; neither is scaled. */
export function transform(re: Float64Array, im: Float64Array, inverse: boolean): void {
  const n = re.length;
  if (n <= 1) return;
  // Exchanging the parts of input and output turns the forward transform into the inverse one.
  const [a, b] = inverse ? [im, re] : [re, im];
  if ((n & (n - 1)) === 0) radix2(a, b);
  else bluestein(a, b);
}

/** Real rows from their half spectrum: bins 0..n/2 as pairs; x = (1/n) sum of the Hermitian spectrum. */
export function inverseReal(pairs: ArrayLike<number>, n: number): Float64Array {
  const re = new Float64Array(n);
  const im = new Float64Array(n);
  for (let f = 0; f <= n / 2; f++) {
    re[f] = pairs[2 * f] / n;
    im[f] = pairs[2 * f + 1] / n;
    if (f > 0 && 2 * f < n) {
      re[n - f] = re[f];
      im[n - f] = -im[f];
    }
  }
  // The bins that are their own mirror are real.
  im[0] = 0;
  if (n % 2 === 0) im[n / 2] = 0;
  transform(re, im, true);
  return re;
}

/** Half spectrum, bins 0..n/2 as pairs, of a real row that is zero-padded to n points. */
export function forwardReal(row: ArrayLike<number>, n: number): Float64Array {
  const re = new Float64Array(n);
  for (let t = 0; t < row.length; t++) re[t] = row[t];
  const im = new Float64Array(n);
  transform(re, im, false);
  const pairs = new Float64Array(2 * (Math.floor(n / 2) + 1));
  for (let f = 0; f <= n / 2; f++) {
    pairs[2 * f] = re[f];
    pairs[2 * f + 1] = im[f];
  }
  return pairs;
}

function radix2(re: Float64Array, im: Float64Array): void {
  const n = re.length;
  for (let t = 1, reversed = 0; t < n; t++) {
    let bit = n >> 1;
    for (; reversed & bit; bit >>= 1) reversed ^= bit;
    reversed |= bit;
    if (t < reversed) {
      [re[t], re[reversed]] = [re[reversed], re[t]];
      [im[t], im[reversed]] = [im[reversed], im[t]];
    }
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

/** f t = (f^2 + t^2 - (f - t)^2) / 2 makes the transform a convolution with a chirp, done on a power of two of points. */
function bluestein(re: Float64Array, im: Float64Array): void {
  const n = re.length;
  let size = 1;
  while (size < 2 * n - 1) size *= 2;
  const cos = new Float64Array(n);
  const sin = new Float64Array(n);
  for (let t = 0; t < n; t++) {
    // t^2 modulo 2n in integers: the angle of a large square would lose its digits.
    const angle = (Math.PI * Number((BigInt(t) * BigInt(t)) % BigInt(2 * n))) / n;
    cos[t] = Math.cos(angle);
    sin[t] = Math.sin(angle);
  }
  const aRe = new Float64Array(size);
  const aIm = new Float64Array(size);
  const bRe = new Float64Array(size);
  const bIm = new Float64Array(size);
  for (let t = 0; t < n; t++) {
    aRe[t] = re[t] * cos[t] + im[t] * sin[t];
    aIm[t] = im[t] * cos[t] - re[t] * sin[t];
    bRe[t] = bRe[(size - t) % size] = cos[t];
    bIm[t] = bIm[(size - t) % size] = sin[t];
  }
  radix2(aRe, aIm);
  radix2(bRe, bIm);
  for (let f = 0; f < size; f++) {
    const real = aRe[f] * bRe[f] - aIm[f] * bIm[f];
    aIm[f] = aRe[f] * bIm[f] + aIm[f] * bRe[f];
    aRe[f] = real;
  }
  // The unscaled inverse, by exchanged parts.
  radix2(aIm, aRe);
  for (let f = 0; f < n; f++) {
    const real = aRe[f] / size;
    const imaginary = aIm[f] / size;
    re[f] = real * cos[f] + imaginary * sin[f];
    im[f] = imaginary * cos[f] - real * sin[f];
  }
}
