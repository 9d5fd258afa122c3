import type { OnnxAttribute, OnnxNode } from '../../formats/onnx/structure';
import { type Attribute, int, ints } from '../../graph/builder';
import { onnx } from '../../graph/onnx';
import { WITH_AXIS_INPUT, WITH_DFT } from './attributes';

const MOST_AXES = 3;

/** com.microsoft Rfft and Irfft: transforms of the last axes of real signals, which ONNX Runtime has on GPUs only. */
export const isContribTransform = (node: OnnxNode): boolean => node.domain === 'com.microsoft' && (node.op === 'Rfft' || node.op === 'Irfft');

/**
 * The nodes with DFT operators in place of Rfft [..., n] -> [..., n/2 + 1, 2] and Irfft [..., bins, 2] -> [..., 2 (bins - 1)], scaled by
 * 1/n, so that they are analysed and run like any other transform. The file keeps them. They stay as they are in operator sets without
 * DFT, and with settings that the operators themselves do not carry out.
 */
export function withStandardTransforms(nodes: readonly OnnxNode[], opset: number): readonly OnnxNode[] {
  if (opset < WITH_DFT || !nodes.some(isContribTransform)) return nodes;
  const taken = new Set(nodes.flatMap(({ outputs }) => outputs));
  return nodes.flatMap((node) => (isContribTransform(node) ? standard(node, opset, taken) ?? [node] : [node]));
}

/** undefined where there is no counterpart. */
function standard(original: OnnxNode, opset: number, taken: Set<string>): OnnxNode[] | undefined {
  const setting = (name: string, otherwise: number): number => original.attributes.get(name)?.int ?? otherwise;
  const axes = setting('signal_ndim', 1);
  const onesided = setting('onesided', 1) !== 0;
  const inverse = original.op === 'Irfft';
  if (setting('normalized', 0) !== 0 || axes < 1 || axes > MOST_AXES || (inverse && !onesided)) return undefined;
  const made: OnnxNode[] = [];
  const add = (op: string, inputs: readonly string[], attributes: Readonly<Record<string, Attribute>>, output?: string): string => {
    const node = standIn(original, op, inputs, output ?? fresh(`${original.outputs[0]}/${op}`, taken), attributes);
    made.push(node);
    return node.outputs[0];
  };
  /** `axis` is counted from the end, the complex dimension included. */
  const dft = (x: string, axis: number, settings: Readonly<Record<string, Attribute>>, output?: string): string => {
    if (opset < WITH_AXIS_INPUT) return add('DFT', [x], { axis: int(axis), ...settings }, output);
    const where = axis === -2 ? [] : ['', add('Constant', [], { value_int: int(axis) })];
    return add('DFT', [x, ...where], settings, output);
  };
  const [x] = original.inputs;
  const [y] = original.outputs;
  const complexAxis = add('Constant', [], { value_ints: ints([-1]) });
  if (inverse) {
    let spectrum = x;
    for (let axis = -1 - axes; axis < -2; axis++) spectrum = dft(spectrum, axis, { inverse: int(1) });
    add('Squeeze', [dft(spectrum, -2, { inverse: int(1), onesided: int(1) }), complexAxis], {}, y);
  } else {
    let spectrum = dft(add('Unsqueeze', [x, complexAxis], {}), -2, { onesided: int(onesided ? 1 : 0) }, axes === 1 ? y : undefined);
    for (let axis = -3; axis >= -1 - axes; axis--) spectrum = dft(spectrum, axis, {}, axis === -1 - axes ? y : undefined);
  }
  return made;
}

function standIn(original: OnnxNode, op: string, inputs: readonly string[], output: string, given: Readonly<Record<string, Attribute>>): OnnxNode {
  const { span } = original;
  const name = op === 'DFT' ? original.name || original.outputs[0] : output;
  const attributes = new Map(Object.entries(given).map(([key, { i, ints: list }]): [string, OnnxAttribute] => [
    key, { span, graphs: [], ...(list ? { ints: list.map(Number) } : { int: Number(i) }) },
  ]));
  const message: onnx.INodeProto = { opType: op, name: output, input: [...inputs], output: [output], attribute: Object.entries(given).map(([key, value]) => ({ name: key, ...value })) };
  return {
    span, name, op, domain: '', overload: '', inputs, outputs: [output], inputSpans: [], attributes,
    rewritten: { encode: () => onnx.NodeProto.encode(message).finish(), call: original.rewritten?.call ?? original, otherOperator: true },
  };
}

function fresh(base: string, taken: Set<string>): string {
  let name = base;
  for (let i = 1; taken.has(name); i++) name = `${base}_${i}`;
  taken.add(name);
  return name;
}
