/** In-place discrete Fourier transform of a power-of-two number of points; sign -1 forward, +1 inverse without scaling. */
function transformPowerOfTwo(re: Float64Array, im: Float64Array, sign: 1 | -1): void {
  const n = re.length;
  for (let i = 1, j = 0; i < n; i++) {
    let bit = n >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) {
      [re[i], re[j]] = [re[j], re[i]];
      [im[i], im[j]] = [im[j], im[i]];
    }
  }
  for (let half = 1; half < n; half *= 2) {
    for (let k = 0; k < half; k++) {
      const angle = (sign * Math.PI * k) / half;
      const [c, s] = [Math.cos(angle), Math.sin(angle)];
      for (let a = k; a < n; a += 2 * half) {
        const b = a + half;
        const [tr, ti] = [re[b] * c - im[b] * s, re[b] * s + im[b] * c];
        re[b] = re[a] - tr;
        im[b] = im[a] - ti;
        re[a] += tr;
        im[a] += ti;
      }
    }
  }
}

/**
 * Inverse transform x[t] = 1/n sum_f (re + i im)[f] exp(2 pi i f t / n) for any n, in float64: Bluestein's algorithm, which turns it into
 * a convolution with a chirp on a power of two of points. Resolves to the real parts.
 */
export class InverseTransform {
  private readonly size: number;
  private readonly chirp: { readonly re: Float64Array; readonly im: Float64Array };
  private readonly kernel: { readonly re: Float64Array; readonly im: Float64Array };

  constructor(private readonly n: number) {
    this.size = 1;
    while (this.size < 2 * n - 1) this.size *= 2;
    this.chirp = { re: new Float64Array(n), im: new Float64Array(n) };
    this.kernel = { re: new Float64Array(this.size), im: new Float64Array(this.size) };
    for (let t = 0; t < n; t++) {
      // t^2 mod 2n, exact for n up to 2^26.
      const angle = (Math.PI * ((t * t) % (2 * n))) / n;
      this.chirp.re[t] = Math.cos(angle);
      this.chirp.im[t] = Math.sin(angle);
      for (const at of [t, (this.size - t) % this.size]) {
        this.kernel.re[at] = Math.cos(angle);
        this.kernel.im[at] = -Math.sin(angle);
      }
    }
    transformPowerOfTwo(this.kernel.re, this.kernel.im, -1);
  }

  realParts(re: Float64Array, im: Float64Array): Float64Array {
    const { n, size, chirp, kernel } = this;
    const [a, b] = [new Float64Array(size), new Float64Array(size)];
    for (let f = 0; f < n; f++) {
      a[f] = re[f] * chirp.re[f] - im[f] * chirp.im[f];
      b[f] = re[f] * chirp.im[f] + im[f] * chirp.re[f];
    }
    transformPowerOfTwo(a, b, -1);
    for (let i = 0; i < size; i++) {
      [a[i], b[i]] = [a[i] * kernel.re[i] - b[i] * kernel.im[i], a[i] * kernel.im[i] + b[i] * kernel.re[i]];
    }
    transformPowerOfTwo(a, b, 1);
    return Float64Array.from({ length: n }, (_, t) => (a[t] * chirp.re[t] - b[t] * chirp.im[t]) / (size * n));
  }
}
