import * as path from 'node:path';
import { UserError } from '../../errors';
import type { OnnxFile } from '../../formats/onnx/read';
import type { DenseSessions } from '../../graph/dense-sessions';
import type { ChosenSite } from '../generic/choice';
import type { ModelOption, OptionOverrides } from '../model';
import { chosenSites } from './chosen-sites';
import { findSites } from './find-sites';
import { GraphView, ValueKind } from './graph-view';
import { OnnxModel } from './model';
import { keepSameAtOtherLength } from './other-length';
import { ModelValues } from './model-values';
import type { OnnxSite } from './site';

/** Kernels of fewer taps are short convolutions, which the models have beside the long ones. */
const SHORTEST_LONG_FILTER = 32;
/** Length of open dimensions where nothing in the model tells one. */
const FALLBACK_LENGTH = 1024;
const POWER_OF_TWO = (n: number): boolean => n > 0 && (n & (n - 1)) === 0;

/**
 * Opens an ONNX model: finds its long convolutions and what they are made of. `sessions` compute shapes and filters.
 * `choice`: filters that the user chose, which then are the only sites; undefined comes back where they are none of the graph's convolutions.
 * Options: `length` (samples that open dimensions stand for), `minTaps` (shortest kernel that counts as long).
 */
export async function openOnnxModel(file: OnnxFile, sessions: DenseSessions, given: OptionOverrides): Promise<OnnxModel>;
export async function openOnnxModel(file: OnnxFile, sessions: DenseSessions, given: OptionOverrides, choice: readonly ChosenSite[] | undefined): Promise<OnnxModel | undefined>;
export async function openOnnxModel(file: OnnxFile, sessions: DenseSessions, given: OptionOverrides, choice?: readonly ChosenSite[]): Promise<OnnxModel | undefined> {
  const unknown = Object.keys(given).find((name) => name !== 'length' && name !== 'minTaps');
  if (unknown !== undefined) throw new UserError(`An ONNX model has no option "${unknown}".`, 'Its options are length and minTaps.');
  const view = new GraphView(file);
  const open = view.feeds.some(({ dimensions }) => dimensions?.some((dim, axis) => typeof dim !== 'number' && axis > 0));
  const length = wholeNumber(given, 'length') ?? (open ? longestConstant(view) : FALLBACK_LENGTH);
  const shortest = choice ? 1 : (wholeNumber(given, 'minTaps') ?? SHORTEST_LONG_FILTER);
  const values = await ModelValues.create(view, sessions, length);
  const atLength = await findSites(view, values, shortest);
  const same = open ? await keepSameAtOtherLength(view, sessions, values, atLength, length) : atLength;
  const chosen = choice ? chosenSites(file, same.sites, choice, `The config.json of ${path.basename(file.path)}`) : same.sites;
  if (!chosen) return undefined;
  const found = choice ? { sites: chosen, findings: [] } : same;
  const [first] = view.feeds;
  const tokens = first?.elementType === 7 || first?.elementType === 6;
  const outputShape = values.shape(file.structure.graph.outputs[0]?.name ?? '') ?? [];
  const inputShape = values.inputShapes.get(first?.name ?? '') ?? [];
  const lengthAxis = sampleAxis(view, inputShape, found.sites);
  const options: ModelOption[] = [
    ...(open ? [{ name: 'length', value: length, source: given.length === undefined ? 'the smallest table that is cut to the length of the input' : 'given by the user' }] : []),
    ...(given.minTaps === undefined ? [] : [{ name: 'minTaps', value: shortest, source: 'given by the user' }]),
  ];
  const logits = tokens && outputShape.length === 3 && outputShape[1] === inputShape[1] && values.type(file.structure.graph.outputs[0].name) === 'float32';
  return new OnnxModel({
    file, view, values, found, options, notes: notes(view, values, found.sites), lengthAxis, fixedLength: !open,
    maxLength: Math.max(1, inputShape[lengthAxis] ?? 1),
    vocabularySize: logits ? outputShape[2] : 0,
    task: logits ? 'next-token' : 'features',
  });
}

/** Axis of the first input along which the samples run: the open one, else the one that is as long as the sites' inputs, else the longest. */
function sampleAxis(view: GraphView, shape: readonly number[], sites: readonly OnnxSite[]): number {
  const declared = view.feeds[0]?.dimensions ?? [];
  const openAxis = declared.findIndex((dim, axis) => axis > 0 && typeof dim !== 'number');
  if (openAxis > 0) return openAxis;
  const lengths = new Set(sites.map(({ u }) => u.dims[u.timeAxis]));
  const inner = shape.map((size, axis) => ({ size, axis })).slice(1);
  const fitting = inner.filter(({ size }) => lengths.has(size));
  const [best] = (fitting.length > 0 ? fitting : inner).sort((a, b) => b.size - a.size);
  return best?.axis ?? 1;
}

function wholeNumber(options: OptionOverrides, name: string): number | undefined {
  const value = options[name];
  if (value === undefined) return undefined;
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 1) throw new UserError(`The option ${name} must be a whole number above 0, not ${value}.`);
  return value;
}

/**
 * Longest input that the model's tables hold: the smallest of those that are cut to the input's length. Where there are none, the longest
 * kernel.
 */
function longestConstant(view: GraphView): number {
  const longest = (dims: readonly number[] | undefined): number => Math.max(0, ...(dims ?? []));
  const tables: number[] = [];
  let kernel = 0;
  for (const node of view.nodes) {
    if (node.op === 'Slice' && view.kind(node.outputs[0]) === ValueKind.ShapeOnly) tables.push(longest(view.initializers.get(node.inputs[0])?.dims));
    if (node.op === 'Conv') kernel = Math.max(kernel, longest(view.initializers.get(node.inputs[1])?.dims.slice(2)));
  }
  const [smallest] = tables.filter((size) => size > 1).sort((a, b) => a - b);
  return smallest ?? (kernel >= SHORTEST_LONG_FILTER ? kernel : FALLBACK_LENGTH);
}

/** What a user must know before trusting the numbers. */
function notes(view: GraphView, values: ModelValues, sites: readonly OnnxSite[]): string[] {
  const { file } = view;
  const found: string[] = [];
  if (values.inferenceFailure) found.push(`Shapes are known only where the file declares them: ${values.inferenceFailure}`);
  if (file.unlisted > 0) found.push(`${file.unlisted} tensors are of types that are not shown here (text, 4-bit integers, complex128).`);
  if (sites.length === 0) found.push('No long convolution with a filter of its own was found.');
  const odd = sites.filter(({ fftSize }) => fftSize !== undefined && !POWER_OF_TWO(fftSize));
  if (odd.length > 0) {
    found.push(`${odd.length} of ${sites.length} sites use transforms of ${odd[0].fftSize} points, not a power of two, on which ONNX Runtime itself loses digits (relative errors around ${(8e-8 * odd[0].fftSize!).toExponential(0)}).`);
  }
  if (view.nodes.some(({ rewritten }) => rewritten?.otherOperator)) {
    found.push('The file has Rfft and Irfft of com.microsoft, which ONNX Runtime runs on GPUs only: here DFT operators take their place. Exports keep those of unchanged sites.');
  }
  if (sites.some(({ nodes }) => nodes.some(({ op, attributes, rewritten }) => op === 'DFT' && !rewritten?.otherOperator && attributes.get('inverse')?.int === 1 && attributes.get('onesided')?.int === 1))) {
    found.push('The file has inverse transforms with onesided=1, which ONNX Runtime refuses before 1.25 and computes wrongly before 1.27.');
  }
  const shared = new Map<string, number>();
  for (const { cut } of sites) if (cut.value) shared.set(cut.value, (shared.get(cut.value) ?? 0) + 1);
  for (const [value, count] of shared) if (count > 1) found.push(`${count} sites share the filter ${value}; each is masked on its own.`);
  return found;
}
