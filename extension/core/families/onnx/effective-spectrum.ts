import { type DenseData, type DenseTensor, type DenseType, emptyData } from '../../graph/dense-sessions';
import { widenFloat16 } from '../../formats/float16';
import type { Dft } from './attributes';
import type { ModelValues } from './model-values';

/** What a signal's spectrum is multiplied by between the two transforms, whatever nodes do it. */
export interface EffectiveSpectrum {
  /** [..., bins, ..., 2] as pairs, row-major. */
  readonly data: ArrayLike<number>;
  readonly dims: readonly number[];
  readonly axis: number;
  /** N */
  readonly size: number;
  /** floor(N / 2) + 1 bins that say everything about a real filter. */
  readonly half: number;
}

/** Relative deviations that are rounding of the model's own arithmetic. */
const TOLERANCE: Readonly<Record<string, number>> = { float32: 1e-4, float64: 1e-9, float16: 2e-2 };

/**
 * Feeds spectra into the nodes between two transforms and looks at what comes out: a spectrum of ones gives the filter's own, and
 * a random one tells whether it is a product bin by bin. No transform of the signal is computed. Returns why it is no filter, otherwise.
 */
export async function effectiveSpectrum(values: ModelValues, forward: Dft, inverse: Dft): Promise<EffectiveSpectrum | string> {
  const dims = values.shape(forward.output);
  const type = values.type(forward.output);
  if (!dims || (type !== 'float32' && type !== 'float64' && type !== 'float16')) return `works on ${type ?? 'values of unknown type'}`;
  const count = dims.reduce((a, b) => a * b, 1);
  const ones = await respond(values, forward, inverse, fill(type, count, (i) => (i % 2 === 0 ? 1 : 0)), dims);
  const { size, axis } = forward;
  const half = Math.floor(size / 2) + 1;
  const rank = dims.length;
  const fits = ones.dims.length === rank && ones.dims[rank - 1] === 2 && ones.dims[axis] === (inverse.onesided ? half : size);
  if (!fits || ones.dims.some((dim, i) => i !== axis && dim !== dims[i])) return 'changes shape between its two transforms';
  const spectrum: EffectiveSpectrum = { data: numbersOf(ones), dims: ones.dims, axis, size, half };
  const tolerance = TOLERANCE[type];
  const random = fill(type, count, (i) => Math.cos(1.7 * i * i + i));
  const answer = numbersOf(await respond(values, forward, inverse, random, dims));
  const sent = numbersOf({ type, data: random, dims });
  if (!(productError(spectrum, answer, sent, dims[axis]) <= tolerance)) return 'is more than a product of two spectra';
  if (!inverse.onesided && !(asymmetry(spectrum) <= tolerance)) return 'has a complex filter: the spectrum has no Hermitian symmetry';
  return spectrum;
}

async function respond(values: ModelValues, forward: Dft, inverse: Dft, data: DenseData, dims: readonly number[]): Promise<DenseTensor> {
  const type = values.type(forward.output) as DenseType;
  return (await values.run([inverse.input], new Map([[forward.output, { type, data, dims }]]))).get(inverse.input)!;
}

/** ||answer - K * sent|| / ||K * sent|| over the bins 0..N/2. `sentBins`: size of the sent spectrum along the axis. */
function productError({ data: k, dims, axis, half }: EffectiveSpectrum, answer: ArrayLike<number>, sent: ArrayLike<number>, sentBins: number): number {
  let error = 0;
  let norm = 0;
  forEachBin(dims, axis, half, (at, outer, bin, inner, innerSize) => {
    const from = 2 * ((outer * sentBins + bin) * innerSize + inner);
    const re = k[at] * sent[from] - k[at + 1] * sent[from + 1];
    const im = k[at] * sent[from + 1] + k[at + 1] * sent[from];
    error += (answer[at] - re) ** 2 + (answer[at + 1] - im) ** 2;
    norm += re * re + im * im;
  });
  return norm === 0 ? error : Math.sqrt(error / norm);
}

/** ||K(N - f) - conj K(f)|| / ||K|| */
function asymmetry({ data: k, dims, axis, half, size }: EffectiveSpectrum): number {
  let error = 0;
  let norm = 0;
  forEachBin(dims, axis, half, (at, outer, bin, inner, innerSize) => {
    const mirror = 2 * ((outer * size + ((size - bin) % size)) * innerSize + inner);
    error += (k[mirror] - k[at]) ** 2 + (k[mirror + 1] + k[at + 1]) ** 2;
    norm += k[at] ** 2 + k[at + 1] ** 2;
  });
  return norm === 0 ? error : Math.sqrt(error / norm);
}

/** Visits the first `bins` bins of complex data; `at` is the place of the real part. */
function forEachBin(
  dims: readonly number[], axis: number, bins: number, visit: (at: number, outer: number, bin: number, inner: number, innerSize: number) => void,
): void {
  const innerSize = dims.slice(axis + 1, -1).reduce((a, b) => a * b, 1);
  const outerSize = dims.slice(0, axis).reduce((a, b) => a * b, 1);
  for (let outer = 0; outer < outerSize; outer++) {
    for (let bin = 0; bin < bins; bin++) {
      for (let inner = 0; inner < innerSize; inner++) visit(2 * ((outer * dims[axis] + bin) * innerSize + inner), outer, bin, inner, innerSize);
    }
  }
}

/**
 * Rows of some channels from complex data [..., bins, ..., 2], as pairs [channels, bins, 2]. `axes`: the channel axes, outermost first;
 * the other axes are taken at 0.
 */
export function channelRows(data: ArrayLike<number>, dims: readonly number[], axis: number, bins: number, axes: readonly number[]): Float64Array {
  const strides = dims.map((_, i) => dims.slice(i + 1).reduce((a, b) => a * b, 1));
  const channels = axes.reduce((product, i) => product * dims[i], 1);
  const rows = new Float64Array(channels * bins * 2);
  for (let channel = 0; channel < channels; channel++) {
    let offset = 0;
    let rest = channel;
    for (const i of [...axes].reverse()) {
      offset += (rest % dims[i]) * strides[i];
      rest = Math.floor(rest / dims[i]);
    }
    for (let bin = 0; bin < bins; bin++) {
      const at = offset + bin * strides[axis];
      rows[2 * (channel * bins + bin)] = data[at];
      rows[2 * (channel * bins + bin) + 1] = data[at + 1];
    }
  }
  return rows;
}

/** Floating-point values as numbers. */
export function numbersOf({ type, data }: DenseTensor): ArrayLike<number> {
  if (type !== 'float16') return data as Float32Array;
  const values = new Float32Array(data.length);
  widenFloat16(data as Uint16Array, values);
  return values;
}

function fill(type: DenseType, count: number, value: (index: number) => number): DenseData {
  const data = emptyData(type, count) as Float32Array;
  for (let i = 0; i < count; i++) data[i] = type === 'float16' ? Math.round(value(i)) * 0x3c00 & 0xffff : value(i);
  return data;
}
