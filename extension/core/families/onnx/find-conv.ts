import type { OnnxNode } from '../../formats/onnx/structure';
import { isStandard, readSlice, readZeroPad } from './attributes';
import type { GraphView } from './graph-view';
import type { ModelValues } from './model-values';
import type { Outcome } from './site';
import { storedTensor } from './stored-filter';

/** A Conv or ConvTranspose along one axis with a constant kernel of at least `shortest` taps; undefined for any other node. */
export async function readLongConvolution(view: GraphView, values: ModelValues, node: OnnxNode, shortest: number): Promise<Outcome | undefined> {
  if (!isStandard(node, 'Conv', 'ConvTranspose')) return undefined;
  const [input, kernel, bias] = node.inputs;
  const dims = view.isConstant(kernel) ? values.shape(kernel) : undefined;
  if (!dims || view.isConstant(input)) return undefined;
  const spatial = dims.slice(2);
  const long = spatial.findIndex((size) => size >= shortest);
  if (long < 0 || spatial.some((size, i) => i !== long && size !== 1)) return undefined;
  const id = node.name || node.outputs[0];
  const unfit = (reason: string): Outcome => ({ finding: { id, operator: node.op, reason } });

  const taps = spatial[long];
  const [outChannels, perGroup] = dims;
  const group = node.attributes.get('group')?.int ?? 1;
  if (node.op === 'ConvTranspose') return unfit('is a transposed convolution, which the kernels do not run');
  if (perGroup === 1 && outChannels !== group) return unfit(`has ${outChannels / group} kernels for each channel, and only one can be masked`);
  if (perGroup !== 1) {
    return unfit(`mixes channels (kernel [${dims.join(', ')}], ${group} ${group === 1 ? 'group' : 'groups'}): only depthwise convolutions can be masked`);
  }
  const step = (name: string): number => node.attributes.get(name)?.ints?.[long] ?? 1;
  if (step('strides') !== 1) return unfit(`moves by ${step('strides')} samples at a time`);
  if (step('dilations') !== 1) return unfit(`has gaps between its taps (dilation ${step('dilations')})`);
  const shape = values.shape(input);
  if (!shape || shape.length !== dims.length) return unfit('has an input of unknown shape');
  if (shape.some((size, axis) => axis > 1 && axis !== long + 2 && size !== 1)) return unfit('runs along one of two spatial axes');

  const own = convPads(node, taps, spatial.length, long);
  const padded = await absorbPad(view, values, input, long + 2);
  const before = own[0] + padded.before;
  const after = own[1] + padded.after;
  if (before > taps - 1) return unfit(`is padded by ${before} samples, more than its ${taps} taps reach`);
  const future = taps - 1 - before;
  const u = padded.value;
  const uShape = values.shape(u);
  const type = values.type(input) ?? 'float32';
  if (!uShape) return unfit('has an input of unknown shape');
  const y = node.outputs[0];
  const channelAxes = [1];
  const timeAxis = long + 2;
  const length = uShape[timeAxis];
  const result = length + before + after - taps + 1;
  if (result < 1) return unfit(`has ${taps} taps on ${length} samples, which leave no result`);
  const samples = (await tailIsCut(view, values, y, timeAxis, length)) ? Math.min(length, result) : result;
  return {
    site: {
      id, operator: 'Conv', channels: outChannels,
      taps: future === 0 ? taps : Math.max(before, future) + 1,
      direction: future === 0 ? 'causal' : 'bidirectional',
      u: { value: u, dims: uShape, timeAxis, channelAxes, trailing: false, type },
      y: { value: y, dims: uShape.map((size, axis) => (axis === timeAxis ? samples : size)), timeAxis, channelAxes, trailing: false, type },
      tail: Math.max(0, samples - length), scale: 1, ...(bias && { bias }),
      cut: {
        value: kernel, use: { node, input: 1 }, dims, type: values.type(kernel) ?? type, form: 'taps',
        outer: outChannels, size: taps, inner: 1, lags: { origin: before }, factor: 1, ...storedTensor(view, kernel),
      },
      nodes: [...padded.nodes, node],
    },
  };
}

/** Zeros before and after along the long axis. */
function convPads(node: OnnxNode, taps: number, rank: number, axis: number): readonly [number, number] {
  const auto = node.attributes.get('auto_pad')?.text ?? 'NOTSET';
  if (auto === 'SAME_UPPER') return [Math.floor((taps - 1) / 2), Math.ceil((taps - 1) / 2)];
  if (auto === 'SAME_LOWER') return [Math.ceil((taps - 1) / 2), Math.floor((taps - 1) / 2)];
  const pads = node.attributes.get('pads')?.ints;
  return pads && auto === 'NOTSET' ? [pads[axis], pads[axis + rank]] : [0, 0];
}

/** The value in front of a Pad that only adds zeros along one axis. */
async function absorbPad(view: GraphView, values: ModelValues, input: string, axis: number): Promise<{ value: string; before: number; after: number; nodes: OnnxNode[] }> {
  const node = view.producers.get(input);
  if (isStandard(node, 'Pad')) {
    const pad = await readZeroPad(values, node);
    const elsewhere = (sizes: number[]): boolean => sizes.some((size, i) => i !== axis && size !== 0);
    if (pad && !elsewhere(pad.before) && !elsewhere(pad.after) && pad.before[axis] >= 0 && pad.after[axis] >= 0) {
      return { value: node.inputs[0], before: pad.before[axis], after: pad.after[axis], nodes: [node] };
    }
  }
  return { value: input, before: 0, after: 0, nodes: [] };
}

/** Whether everything that reads a value takes its first `length` samples at most. */
export async function tailIsCut(view: GraphView, values: ModelValues, value: string, axis: number, length: number): Promise<boolean> {
  const use = view.onlyUse(value);
  if (!use || !isStandard(use.node, 'Slice')) return false;
  const cut = (await readSlice(values, use.node))?.find((part) => part.axis === axis);
  return cut !== undefined && cut.step === 1 && cut.start === 0 && cut.end <= length;
}
