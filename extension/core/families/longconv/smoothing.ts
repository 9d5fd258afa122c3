/** Moving average over an odd window, with zeros beyond the ends that count in the average. */
export function smoothInTime(taps: Float64Array, window: number): Float64Array {
  const reach = (window - 1) / 2;
  return taps.map((_, i) => {
    let sum = 0;
    for (let j = Math.max(0, i - reach); j <= Math.min(taps.length - 1, i + reach); j++) sum += taps[j];
    return sum / window;
  });
}

/**
 * The half spectrum, bins 0..floor(n/2), convolved with exp(-(i - w/2)^2 / 2), i = 0..w-1, zeros beyond its ends, and transformed back to
 * 2 floor(n/2) taps. By the definition of the transform, in float64: kernels have a few thousand taps, and any number of them.
 */
export function smoothInFrequency(taps: Float64Array, window: number): Float64Array {
  const n = taps.length;
  const last = Math.floor(n / 2);
  const { re, im } = halfSpectrum(taps, last);
  const middle = (window - 1) / 2;
  const weight = (offset: number): number => Math.exp(-0.5 * offset * offset);
  const smooth = (values: Float64Array): Float64Array => values.map((_, f) => {
    let sum = 0;
    for (let o = -middle; o <= middle; o++) if (f + o >= 0 && f + o <= last) sum += weight(o) * values[f + o];
    return sum;
  });
  const [sre, sim] = [smooth(re), smooth(im)];
  const m = 2 * last;
  const { cos, sin } = circle(m);
  return new Float64Array(m).map((_, t) => {
    let sum = sre[0] + (t % 2 === 0 ? sre[last] : -sre[last]);
    for (let f = 1; f < last; f++) {
      const at = (f * t) % m;
      sum += 2 * (sre[f] * cos[at] - sim[f] * sin[at]);
    }
    return sum / m;
  });
}

/** sum_t x[t] exp(-2 pi i f t / n), f = 0..last. */
function halfSpectrum(taps: Float64Array, last: number): { re: Float64Array; im: Float64Array } {
  const n = taps.length;
  const { cos, sin } = circle(n);
  const re = new Float64Array(last + 1);
  const im = new Float64Array(last + 1);
  for (let f = 0; f <= last; f++) {
    for (let t = 0, at = 0; t < n; t++) {
      re[f] += taps[t] * cos[at];
      im[f] -= taps[t] * sin[at];
      at = at + f >= n ? at + f - n : at + f;
    }
  }
  return { re, im };
}

function circle(n: number): { cos: Float64Array; sin: Float64Array } {
  const angles = new Float64Array(n).map((_, i) => (2 * Math.PI * i) / n);
  return { cos: angles.map(Math.cos), sin: angles.map(Math.sin) };
}
