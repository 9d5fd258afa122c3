import type { OnnxNode } from '../../formats/onnx/structure';
import type { GraphView } from './graph-view';
import type { ModelValues } from './model-values';

/** A DFT node, whichever operator set it is written for. */
export interface Dft {
  readonly node: OnnxNode;
  readonly input: string;
  readonly output: string;
  /** Counted from the front. */
  readonly axis: number;
  readonly inverse: boolean;
  readonly onesided: boolean;
  /** Points of the transform. */
  readonly size: number;
  /** Shape of the input, the complex dimension included. */
  readonly dims: readonly number[];
}

type StandardNode = OnnxNode & { readonly domain: '' };

export const isStandard = (node: OnnxNode | undefined, ...ops: readonly string[]): node is StandardNode =>
  node !== undefined && node.domain === '' && ops.includes(node.op);

/** Operator sets: the first with DFT, and the first in which its axis is an input, with the last but one as its default. */
export const WITH_DFT = 17;
export const WITH_AXIS_INPUT = 20;

export const isDft = (node: OnnxNode | undefined): node is StandardNode => isStandard(node, 'DFT');
export const isInverse = (node: OnnxNode): boolean => (node.attributes.get('inverse')?.int ?? 0) !== 0;

/** undefined where a shape or a length cannot be told. */
export async function readDft(view: GraphView, values: ModelValues, node: OnnxNode): Promise<Dft | undefined> {
  const [input, length, axisInput] = node.inputs;
  const dims = values.shape(input);
  if (!dims || dims.length < 2) return undefined;
  const given = view.opset >= 20 ? ((await values.scalar(axisInput)) ?? -2) : (node.attributes.get('axis')?.int ?? 1);
  const axis = given < 0 ? given + dims.length : given;
  const inverse = isInverse(node);
  const onesided = (node.attributes.get('onesided')?.int ?? 0) !== 0;
  const natural = inverse && onesided ? 2 * (dims[axis] - 1) : dims[axis];
  const size = length ? await values.scalar(length) : natural;
  if (size === undefined || !(axis >= 0 && axis < dims.length - 1)) return undefined;
  return { node, input, output: node.outputs[0], axis, inverse, onesided, size, dims };
}

/** starts, ends, axes and steps of a Slice with constant operands, normalised to its input's shape. */
export async function readSlice(values: ModelValues, node: OnnxNode): Promise<{ axis: number; start: number; end: number; step: number; size: number }[] | undefined> {
  const dims = values.shape(node.inputs[0]);
  const [starts, ends] = [await values.numbers(node.inputs[1]), await values.numbers(node.inputs[2])];
  if (!dims || !starts || !ends) return undefined;
  const axes = node.inputs[3] ? await values.numbers(node.inputs[3]) : starts.map((_, i) => i);
  const steps = node.inputs[4] ? await values.numbers(node.inputs[4]) : starts.map(() => 1);
  if (!axes || !steps) return undefined;
  return starts.map((start, i) => {
    const axis = axes[i] < 0 ? axes[i] + dims.length : axes[i];
    const size = dims[axis];
    const clamp = (at: number): number => Math.min(size, Math.max(0, at < 0 ? at + size : at));
    return { axis, start: clamp(start), end: clamp(ends[i]), step: steps[i], size };
  });
}

/** Axes of a Squeeze or Unsqueeze, counted from the front of the larger shape; undefined where they are not constant. */
export async function readAxes(values: ModelValues, node: OnnxNode, rank: number): Promise<number[] | undefined> {
  const axes = node.attributes.get('axes')?.ints ?? (await values.numbers(node.inputs[1]));
  return axes?.map((axis) => (axis < 0 ? axis + rank : axis));
}

/** Leading and trailing zeros of a Pad by axis; undefined for other fillings. */
export async function readZeroPad(values: ModelValues, node: OnnxNode): Promise<{ before: number[]; after: number[] } | undefined> {
  const mode = node.attributes.get('mode')?.text ?? 'constant';
  const rank = values.shape(node.inputs[0])?.length;
  const pads = node.attributes.get('pads')?.ints ?? (await values.numbers(node.inputs[1]));
  const filling = node.inputs[2] ? await values.scalar(node.inputs[2]) : 0;
  if (mode !== 'constant' || !pads || rank === undefined || filling !== 0) return undefined;
  const before = new Array<number>(rank).fill(0);
  const after = new Array<number>(rank).fill(0);
  const axes = node.inputs[3] ? await values.numbers(node.inputs[3]) : before.map((_, i) => i);
  if (!axes || pads.length !== 2 * axes.length) return undefined;
  axes.forEach((axis, i) => {
    before[axis < 0 ? axis + rank : axis] = pads[i];
    after[axis < 0 ? axis + rank : axis] = pads[i + axes.length];
  });
  return { before, after };
}
