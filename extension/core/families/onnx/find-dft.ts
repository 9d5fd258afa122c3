import type { OnnxNode } from '../../formats/onnx/structure';
import { type Dft, isDft, isInverse, readDft } from './attributes';
import { channelRows, effectiveSpectrum, type EffectiveSpectrum } from './effective-spectrum';
import { spectrumCut, tapsCut } from './filter-cut';
import type { GraphView } from './graph-view';
import type { ModelValues } from './model-values';
import { backToSignal, onToResult } from './signal-path';
import type { OnnxSite, Outcome } from './site';
import { filterTransforms, spectralRegion, type SpectralRegion } from './spectral-region';
import { inverseReal } from './spectrum';

/** Largest |k| beyond the taps that counts as rounding, relative to the largest of all. */
const ROUNDING = 1e-4;
const NOT_PLAIN = 'is a product of spectra that is not one filter applied to one signal';

/**
 * An inverse DFT whose input is a signal's spectrum times a constant one; undefined where no constant filter is involved (transforms
 * of activations only) or the filter has fewer taps than `shortest`.
 */
export async function readSpectralConvolution(view: GraphView, values: ModelValues, node: OnnxNode, shortest: number): Promise<Outcome | undefined> {
  if (!isDft(node) || !isInverse(node) || view.isConstant(node.inputs[0])) return undefined;
  const region = spectralRegion(view, node);
  if (region.mixed || region.transforms.length === 0) return undefined;
  const id = node.name || node.outputs[0];
  const unfit = (reason: string): Outcome => ({ finding: { id, operator: 'DFT', reason } });
  if (region.transforms.length > 1) {
    const products = region.nodes.some(({ op, inputs }) => op === 'Mul' && inputs.every((name) => !view.isConstant(name)));
    return products ? unfit('has a filter that is computed from the model\'s input, not stored in it') : undefined;
  }
  if (!(await multiplies(view, values, region))) return undefined;
  const forward = await readDft(view, values, region.transforms[0]);
  const inverse = await readDft(view, values, node);
  if (!forward || !inverse) return unfit('has transforms of unknown shape');
  if (forward.size < shortest) return undefined;
  const wrong = brokenInverse(forward, inverse);
  if (wrong) return unfit(wrong);
  if (forward.axis !== inverse.axis || forward.size !== inverse.size || forward.dims.length !== inverse.dims.length) return unfit('changes length or axis between its two transforms');
  const spectrum = await effectiveSpectrum(values, forward, inverse);
  if (typeof spectrum === 'string') return unfit(spectrum);
  const outcome = await describe(view, values, { id, node, region, forward, inverse, spectrum });
  if (typeof outcome === 'string') return unfit(outcome);
  return outcome.taps < shortest ? undefined : { site: outcome };
}

/** Whether a constant of more than one element takes part in a product. */
async function multiplies(view: GraphView, values: ModelValues, region: SpectralRegion): Promise<boolean> {
  for (const { op, inputs } of region.nodes) {
    if (op !== 'Mul' && op !== 'Div') continue;
    for (const name of inputs) {
      const shape = view.isConstant(name) ? values.shape(name) : [];
      // [2] is the constant (1, -1) that conjugates.
      if (!shape || shape.reduce((a, b) => a * b, 1) > 2) return true;
    }
  }
  return false;
}

/** Models that give wrong numbers in every runtime: a half spectrum that is taken for a whole one. */
function brokenInverse(forward: Dft, inverse: Dft): string | undefined {
  const bins = inverse.dims[inverse.axis];
  const half = Math.floor(forward.size / 2) + 1;
  if (!forward.onesided || inverse.onesided || bins !== half || half === forward.size) return undefined;
  return `is wrong in the file already: its inverse transform takes the half spectrum of ${bins} bins for a whole one (onesided is missing), as exporters wrote it until 2026; export the model again`;
}

interface Candidate {
  readonly id: string;
  readonly node: OnnxNode;
  readonly region: SpectralRegion;
  readonly forward: Dft;
  readonly inverse: Dft;
  readonly spectrum: EffectiveSpectrum;
}

/** The site, or why it cannot be one. */
async function describe(view: GraphView, values: ModelValues, candidate: Candidate): Promise<OnnxSite | string> {
  const { id, node, region, forward, inverse, spectrum } = candidate;
  const { size, axis } = forward;
  const start = await backToSignal(view, values, forward.node, axis);
  const end = await onToResult(view, values, inverse.output, axis, size, inverse.onesided);
  if (!end) return 'gives a complex result, of which the imaginary part is used too';
  const dims = layoutDims(values, start.value, start.trailing);
  const resultDims = layoutDims(values, end.value, end.trailing);
  if (!dims || !resultDims || dims.length !== resultDims.length || dims.length !== forward.dims.length - 1) return NOT_PLAIN;
  const length = dims[axis];
  if (length > size) return `takes only the first ${size} of its ${length} samples: its transforms have no more points`;
  const transforms = filterTransforms(view, region.constants);
  const cut = (transforms.length === 1 ? await tapsCut(view, values, transforms[0], forward, spectrum) : undefined)
    ?? (await spectrumCut(view, values, region.constants, forward, spectrum));
  if (!cut) return NOT_PLAIN;
  const shape = classify(cut.form === 'taps' ? cut.size : causalTaps(spectrum, cut.channelAxes, length), length, end.length, size);
  const type = values.type(start.value) ?? 'float32';
  const batchAxes = new Set(cut.channelAxes);
  if (dims.some((_, i) => i !== axis && !batchAxes.has(i) && dims[i] !== resultDims[i])) return NOT_PLAIN;
  return {
    id, operator: 'DFT', channels: cut.channels, taps: shape.taps, direction: shape.direction,
    u: { value: start.value, dims, timeAxis: axis, channelAxes: cut.channelAxes, trailing: start.trailing, type },
    y: { value: end.value, dims: resultDims, timeAxis: axis, channelAxes: cut.channelAxes, trailing: end.trailing, type },
    tail: shape.tail, scale: end.scale * cut.scale, cut, fftSize: size,
    nodes: [...start.nodes, forward.node, ...region.nodes, node, ...end.nodes],
  };
}

function layoutDims(values: ModelValues, value: string, trailing: boolean): readonly number[] | undefined {
  const shape = values.shape(value);
  return trailing ? shape?.slice(0, -1) : shape;
}

/**
 * What a convolution on a ring of `size` points is for an input of `length` samples of which `result` come out. `taps`: undefined where
 * the filter reaches around the ring to negative lags.
 */
function classify(taps: number | undefined, length: number, result: number, size: number): Pick<OnnxSite, 'direction' | 'taps' | 'tail'> {
  if (taps !== undefined && taps <= size - length + 1) return { direction: 'causal', taps, tail: Math.max(0, result - length) };
  // Every pair of input and output samples has a lag of its own: nothing wraps around.
  if (size >= length + result - 1 && result <= length) return { direction: 'bidirectional', taps: length, tail: 0 };
  return { direction: 'circular', taps: size, tail: size - length };
}

/** Taps of a filter that is stored as a spectrum: the input's length where everything beyond is rounding; else undefined. */
function causalTaps({ data, dims, axis, size, half }: EffectiveSpectrum, channelAxes: readonly number[], length: number): number | undefined {
  const taps = Math.min(length, size);
  const rows = channelRows(data, dims, axis, half, channelAxes);
  let largest = 0;
  let beyond = 0;
  for (let at = 0; at < rows.length; at += 2 * half) {
    inverseReal(rows.subarray(at, at + 2 * half), size).forEach((value, j) => {
      if (j < taps) largest = Math.max(largest, Math.abs(value));
      else beyond = Math.max(beyond, Math.abs(value));
    });
  }
  return beyond <= ROUNDING * largest ? taps : undefined;
}
