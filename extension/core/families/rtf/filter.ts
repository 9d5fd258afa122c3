import type { TensorFile } from '../../formats/tensor-file';
import type { FilterSource } from '../shared/family-model';
import { InverseTransform } from './dft';

export interface RtfSizes {
  /** D. */
  readonly channels: number;
  /** N, coefficients of each polynomial beside its constant term. */
  readonly order: number;
  /** Denominators; each serves channels / denominators channels in a row. */
  readonly denominators: number;
  /** L, the length at which the rational function was sampled. */
  readonly length: number;
}

/**
 * k = first L values of irfft(rfft(b) / rfft(a)) + h_0 at lag 0, with a = [1, a_1 .. a_N, 0 ..], b = [0, b_1 .. b_N, 0 ..] on L points, one
 * more where L is odd. `ab` holds the denominators' rows, then the numerators'. Source: athms/mad-lab, rtf.py.
 */
export function rtfSource(file: TensorFile, names: { readonly ab: string; readonly h0: string }, { order, denominators, channels, length }: RtfSizes): FilterSource {
  const points = length + (length % 2);
  let transform: InverseTransform | undefined;
  return async ({ channels: [firstChannel, endChannel], taps: [first, end] }) => {
    transform ??= new InverseTransform(points);
    const rows = new Float32Array((endChannel - firstChannel) * (end - first));
    const h0 = await file.readFloat32(names.h0, firstChannel, endChannel);
    for (let channel = firstChannel; channel < endChannel; channel++) {
      const denominator = Math.floor((channel * denominators) / channels);
      const a = await file.readFloat32(names.ab, denominator * order, (denominator + 1) * order);
      const b = await file.readFloat32(names.ab, (denominators + channel) * order, (denominators + channel + 1) * order);
      const k = transform.realParts(...rationalSpectrum(a, b, points));
      k[0] += h0[channel - firstChannel];
      rows.set(k.subarray(first, end), (channel - firstChannel) * (end - first));
    }
    return rows;
  };
}

/** b(z) / a(z) with z^-1 = exp(-2 pi i f / points). */
function rationalSpectrum(a: Float32Array, b: Float32Array, points: number): [re: Float64Array, im: Float64Array] {
  const re = new Float64Array(points);
  const im = new Float64Array(points);
  const wave = Float64Array.from({ length: points }, (_, i) => Math.cos((2 * Math.PI * i) / points));
  const sine = Float64Array.from({ length: points }, (_, i) => Math.sin((2 * Math.PI * i) / points));
  for (let f = 0; f < points; f++) {
    let [ar, ai, br, bi] = [1, 0, 0, 0];
    for (let n = 1; n <= a.length; n++) {
      const at = (f * n) % points;
      ar += a[n - 1] * wave[at];
      ai -= a[n - 1] * sine[at];
      br += b[n - 1] * wave[at];
      bi -= b[n - 1] * sine[at];
    }
    const size = ar * ar + ai * ai;
    re[f] = (br * ar + bi * ai) / size;
    im[f] = (bi * ar - br * ai) / size;
  }
  return [re, im];
}
