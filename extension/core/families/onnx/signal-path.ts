import type { OnnxNode } from '../../formats/onnx/structure';
import { isStandard, readAxes, readSlice, readZeroPad } from './attributes';
import type { GraphView, Use } from './graph-view';
import type { ModelValues } from './model-values';

/** A value on the way to a transform or from it, and the nodes passed. */
export interface PathEnd {
  readonly value: string;
  readonly nodes: readonly OnnxNode[];
  /** The last dimension is the complex one, of size 1. */
  readonly trailing: boolean;
  /** Who reads `value` on the path. */
  readonly use?: Use;
}

/**
 * Walks back from the input of a forward transform over what only makes it complex or longer by zeros, to the signal itself.
 * `axis`: the transform's, counted from the front.
 */
export async function backToSignal(view: GraphView, values: ModelValues, transform: OnnxNode, axis: number): Promise<PathEnd> {
  let value = transform.inputs[0];
  let use: Use = { node: transform, input: 0 };
  let trailing = true;
  const nodes: OnnxNode[] = [];
  for (;;) {
    const node: OnnxNode | undefined = view.producers.get(value);
    const source: Step | undefined = node && (await stepBack(view, values, node, axis, trailing));
    if (!node || !source) return { value, nodes, trailing, use };
    nodes.unshift(node);
    ({ trailing } = source);
    use = { node, input: source.input };
    value = node.inputs[source.input];
  }
}

interface Step { readonly input: number; readonly trailing: boolean }

/** The input of a node that goes on being the signal; undefined where the node does more than lengthen or reshape it. */
async function stepBack(view: GraphView, values: ModelValues, node: OnnxNode, axis: number, trailing: boolean): Promise<Step | undefined> {
  const shape = values.shape(node.outputs[0]);
  const before = values.shape(node.inputs[0]);
  if (!shape || !before) return undefined;
  if (isStandard(node, 'Identity')) return { input: 0, trailing };
  if (isStandard(node, 'Unsqueeze') && trailing) {
    const axes = await readAxes(values, node, shape.length);
    return axes?.length === 1 && axes[0] === shape.length - 1 ? { input: 0, trailing: false } : undefined;
  }
  if (isStandard(node, 'Reshape') && trailing) {
    const appended = shape.length === before.length + 1 && shape[before.length] === 1 && before.every((size, i) => size === shape[i]);
    return appended ? { input: 0, trailing: false } : undefined;
  }
  if (isStandard(node, 'Pad')) {
    const pad = await readZeroPad(values, node);
    const longer = pad?.before.every((size) => size === 0) && pad.after.every((size, i) => (i === axis ? size >= 0 : size === 0));
    return longer ? { input: 0, trailing } : undefined;
  }
  if (isStandard(node, 'Concat') && node.inputs.length === 2 && view.isConstant(node.inputs[1])) {
    const given = node.attributes.get('axis')?.int ?? 0;
    const along = given < 0 ? given + shape.length : given;
    const zeros = (await values.numbers(node.inputs[1]))?.every((element) => element === 0) === true;
    // Imaginary parts of zero, or zeros that follow the signal.
    const complex = trailing && along === shape.length - 1 && shape[along] === 2;
    return zeros && (complex || along === axis) ? { input: 0, trailing } : undefined;
  }
  return undefined;
}

/** Where a convolution ends: the real result of an inverse transform, scaled and cut. */
export interface SignalEnd {
  readonly value: string;
  readonly nodes: readonly OnnxNode[];
  readonly trailing: boolean;
  readonly scale: number;
  /** Samples that are left. */
  readonly length: number;
}

/**
 * Walks on from an inverse transform's output over what takes the real part, cuts the first samples and scales them. undefined where
 * the imaginary part is used too. `real`: the transform's output is real already.
 */
export async function onToResult(view: GraphView, values: ModelValues, output: string, axis: number, size: number, real: boolean): Promise<SignalEnd | undefined> {
  const state = { value: output, nodes: [] as OnnxNode[], trailing: true, scale: 1, length: size, real };
  for (;;) {
    const use = onlyReader(view, values, state.value);
    if (!use || !(await stepOn(view, values, use, axis, state))) break;
  }
  return state.real ? state : undefined;
}

/** The only use of a value, not counting those that only ask for its shape, which is known, or its type. */
function onlyReader(view: GraphView, values: ModelValues, value: string): Use | undefined {
  const uses = (view.uses.get(value) ?? []).filter(({ node, input }) =>
    !(isStandard(node, 'Shape', 'Size') && values.knownSize(node.outputs[0])) && !(input === 1 && values.castOf(node)));
  return uses.length === 1 && uses[0].input >= 0 && !view.outputs.has(value) ? uses[0] : undefined;
}

interface EndState { value: string; nodes: OnnxNode[]; trailing: boolean; scale: number; length: number; real: boolean }

/** Takes one node into the path; false where it does something else. */
async function stepOn(view: GraphView, values: ModelValues, { node, input }: Use, axis: number, state: EndState): Promise<boolean> {
  const rank = values.shape(state.value)?.length;
  if (rank === undefined || node.domain !== '') return false;
  const last = rank - 1;
  const advance = (change: Partial<EndState> = {}, output = 0): boolean => {
    state.nodes.push(node);
    Object.assign(state, change);
    state.value = node.outputs[output];
    return true;
  };
  switch (node.op) {
    case 'Identity': return advance();
    case 'Mul': case 'Div': {
      if (node.op === 'Div' && input !== 0) return false;
      const factor = await values.scalar(node.inputs[1 - input]);
      // A factor of higher rank would add dimensions.
      if (factor === undefined || (values.shape(node.inputs[1 - input])?.length ?? 0) > rank) return false;
      return advance({ scale: node.op === 'Mul' ? state.scale * factor : state.scale / factor });
    }
    case 'Slice': {
      const parts = await readSlice(values, node);
      if (!parts || parts.some((part) => part.start !== 0 || part.step !== 1 || (part.axis !== axis && !(state.trailing && part.axis === last)))) return false;
      const complex = state.trailing ? parts.find((part) => part.axis === last) : undefined;
      if (complex && complex.end !== 1) return false;
      const time = parts.find((part) => part.axis === axis);
      return advance({ ...(complex && { real: true }), ...(time && { length: time.end }) });
    }
    case 'Split': {
      const along = node.attributes.get('axis')?.int ?? 0;
      const isLast = (along < 0 ? along + rank : along) === last;
      const others = node.outputs.slice(1).some((name) => name && ((view.uses.get(name)?.length ?? 0) > 0 || view.outputs.has(name)));
      if (!state.trailing || !isLast || node.outputs.length !== 2 || others || values.shape(node.outputs[0])?.[last] !== 1) return false;
      return advance({ real: true });
    }
    case 'Gather': {
      const along = node.attributes.get('axis')?.int ?? 0;
      const isLast = (along < 0 ? along + rank : along) === last;
      if (!state.trailing || !isLast || input !== 0 || (await values.scalar(node.inputs[1])) !== 0) return false;
      return values.shape(node.inputs[1])?.length === 0 ? advance({ real: true, trailing: false }) : advance({ real: true });
    }
    case 'Squeeze': {
      const axes = await readAxes(values, node, rank);
      if (!state.trailing || !state.real || axes?.length !== 1 || axes[0] !== last) return false;
      return advance({ trailing: false });
    }
    default: return false;
  }
}
