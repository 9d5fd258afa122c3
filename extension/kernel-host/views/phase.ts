/**
 * arg K(f) in (-pi, pi] of a filter at chosen bins of an fftSize-point spectrum, by Horner's rule in float64: as many passes over
 * the taps as there are bins, so it needs no transform of the whole filter for the few hundred columns of a plot.
 */
export function phaseAt(taps: Float32Array, bins: Float64Array, fftSize: number): Float32Array {
  return Float32Array.from(bins, (bin) => {
    const angle = (2 * Math.PI * bin) / fftSize;
    const [cosine, sine] = [Math.cos(angle), Math.sin(angle)];
    // Horner's rule for sum_j k[j] z^j with z = exp(-i angle), from the last tap down.
    let [re, im] = [0, 0];
    for (let j = taps.length - 1; j >= 0; j--) {
      const next = re * cosine + im * sine + taps[j];
      im = im * cosine - re * sine;
      re = next;
    }
    return Math.atan2(im, re);
  });
}
