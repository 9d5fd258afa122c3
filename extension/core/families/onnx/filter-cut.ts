import type { OnnxNode } from '../../formats/onnx/structure';
import { type Dft, readDft } from './attributes';
import { channelRows, type EffectiveSpectrum, numbersOf } from './effective-spectrum';
import type { GraphView } from './graph-view';
import type { ModelValues } from './model-values';
import { backToSignal } from './signal-path';
import type { FilterCut } from './site';
import { storedTensor } from './stored-filter';

/** Relative deviation up to which two spectra are the same but for a factor. */
const SAME = 1e-4;
/** Operators that take a part of a spectrum, or its other view. */
const PART = new Set(['Slice', 'Split', 'Gather', 'Squeeze', 'Unsqueeze', 'Reshape', 'Identity', 'Cast']);

/** A cut, with how its dimensions lie in the signal's. */
export interface PlacedCut extends FilterCut {
  readonly channels: number;
  /** Axes of the signal. */
  readonly channelAxes: readonly number[];
  /** What acts is this times the filter in the cut. */
  readonly scale: number;
}

/** The time-domain filter behind a constant transform, where the signal's spectrum is multiplied by just that, but for a factor. */
export async function tapsCut(
  view: GraphView, values: ModelValues, transform: OnnxNode, forward: Dft, spectrum: EffectiveSpectrum,
): Promise<PlacedCut | undefined> {
  const own = await readDft(view, values, transform);
  if (!own || own.size !== forward.size) return undefined;
  const shape = values.shape(own.output);
  const axes = shape && channelAxes(shape, own.axis, spectrum);
  if (!axes) return undefined;
  const result = (await values.evaluate([own.output])).get(own.output)!;
  const mine = channelRows(numbersOf(result), shape, own.axis, spectrum.half, axes.own);
  values.forget(own.output);
  const factor = commonFactor(mine, channelRows(spectrum.data, spectrum.dims, spectrum.axis, spectrum.half, axes.signal));
  if (factor === undefined) return undefined;
  const start = await backToSignal(view, values, transform, own.axis);
  const dims = values.shape(start.value);
  if (!dims || !start.use) return undefined;
  return {
    value: start.value, use: start.use, dims, type: values.type(start.value) ?? 'float32', form: 'taps',
    outer: product(dims.slice(0, own.axis)), size: dims[own.axis], inner: product(dims.slice(own.axis + 1)), lags: { ring: own.size }, factor: 1,
    ...storedTensor(view, start.value), channels: product(axes.own.map((i) => shape[i])), channelAxes: axes.signal, scale: factor,
  };
}

/** The spectrum that the signal's is multiplied by: one tensor where there is one, else what several together amount to. */
export async function spectrumCut(
  view: GraphView, values: ModelValues, constants: readonly string[], forward: Dft, spectrum: EffectiveSpectrum,
): Promise<PlacedCut | undefined> {
  const sources = new Set<string>();
  let shape: readonly number[] | undefined;
  for (const constant of constants) {
    const dims = values.shape(constant);
    if (!dims) return undefined;
    if (product(dims) <= 2) continue;
    shape = shape && shape.length >= dims.length ? shape : dims;
    sources.add(wholeSpectrum(view, values, constant, spectrum) ?? constant);
  }
  const [source] = sources;
  const dims = source === undefined ? undefined : values.shape(source);
  if (sources.size === 1 && dims && dims[dims.length - 1] === 2) {
    const axis = dims.length - (forward.dims.length - forward.axis);
    const axes = channelAxes(dims, axis, spectrum);
    if (axes && dims[axis] >= spectrum.half) {
      const stored = (await values.evaluate([source])).get(source)!;
      const mine = channelRows(numbersOf(stored), dims, axis, spectrum.half, axes.own);
      const factor = commonFactor(mine, channelRows(spectrum.data, spectrum.dims, spectrum.axis, spectrum.half, axes.signal));
      const [use] = view.uses.get(source) ?? [];
      if (factor !== undefined && use) {
        return {
          value: source, use, dims, type: values.type(source) ?? 'float32', form: 'spectrum', factor,
          outer: product(dims.slice(0, axis)), size: dims[axis], inner: product(dims.slice(axis + 1, -1)), lags: { ring: spectrum.size },
          ...storedTensor(view, source), channels: product(axes.own.map((i) => dims[i])), channelAxes: axes.signal, scale: 1,
        };
      }
    }
  }
  // Real and imaginary parts in tensors of their own: their dimensions without the complex one, or with one of size 1.
  const parts = shape && [...(shape[shape.length - 1] === 1 || shape[shape.length - 1] === 2 ? shape.slice(0, -1) : shape), 2];
  const axis = parts ? parts.length - (forward.dims.length - forward.axis) : -1;
  const axes = parts && axis >= 0 ? channelAxes(parts, axis, spectrum) : undefined;
  if (!parts || !axes) return undefined;
  return {
    value: '', dims: parts, type: 'float32', form: 'spectrum', factor: 1, outer: 1, size: parts[axis], inner: 1, lags: { ring: spectrum.size }, exclusive: false,
    channels: product(axes.own.map((i) => parts[i])), channelAxes: axes.signal, scale: 1,
  };
}

/** Climbs from a part of a spectrum to the tensor of pairs that it is a part of. */
function wholeSpectrum(view: GraphView, values: ModelValues, part: string, { half, size }: EffectiveSpectrum): string | undefined {
  for (let name = part; ;) {
    const dims = values.shape(name);
    if (dims && dims[dims.length - 1] === 2 && dims.some((dim) => dim === half || dim === size)) return name;
    const node = view.producers.get(name);
    if (!node || node.domain !== '' || !PART.has(node.op)) return undefined;
    name = node.inputs[0];
  }
}

/**
 * Which dimensions of a filter's spectrum [..., bins, ..., 2] are channels: those that are not 1, aligned with the signal's from the
 * right. undefined where they do not fit.
 */
function channelAxes(dims: readonly number[], axis: number, spectrum: EffectiveSpectrum): { own: number[]; signal: number[] } | undefined {
  const shift = spectrum.dims.length - dims.length;
  if (shift < 0 || axis + shift !== spectrum.axis) return undefined;
  const own: number[] = [];
  for (let i = 0; i < dims.length - 1; i++) {
    if (i === axis || dims[i] === 1) continue;
    if (dims[i] !== spectrum.dims[i + shift]) return undefined;
    own.push(i);
  }
  return { own, signal: own.map((i) => i + shift) };
}

/** The real s for which b = s a, to rounding; undefined where there is none. */
function commonFactor(a: Float64Array, b: Float64Array): number | undefined {
  let ab = 0;
  let aa = 0;
  let bb = 0;
  for (let i = 0; i < a.length; i++) {
    ab += a[i] * b[i];
    aa += a[i] * a[i];
    bb += b[i] * b[i];
  }
  if (aa === 0) return undefined;
  const factor = ab / aa;
  let error = 0;
  for (let i = 0; i < a.length; i++) error += (b[i] - factor * a[i]) ** 2;
  return bb > 0 && Math.sqrt(error / bb) <= SAME ? factor : undefined;
}

const product = (sizes: readonly number[]): number => sizes.reduce((a, b) => a * b, 1);
