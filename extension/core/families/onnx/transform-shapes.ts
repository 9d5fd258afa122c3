import type { OnnxNode } from '../../formats/onnx/structure';
import { GraphBuilder, ints } from '../../graph/builder';
import { onnx } from '../../graph/onnx';
import { isDft, isInverse } from './attributes';
import type { GraphView } from './graph-view';
import type { ModelValues } from './model-values';

/**
 * Nodes of the right shape in place of transforms of a given length: ONNX's own shape inference leaves that length out of account up to
 * operator set 19. They are only asked for their shapes.
 */
export async function transformShapes(view: GraphView, values: ModelValues): Promise<Map<OnnxNode, Uint8Array[]>> {
  const replacements = new Map<OnnxNode, Uint8Array[]>();
  for (const node of view.nodes) {
    if (!isDft(node)) continue;
    const [input, length, axisInput] = node.inputs;
    const axis = view.opset >= 20 ? (axisInput ? await knownScalar(values, axisInput) : -2) : (node.attributes.get('axis')?.int ?? 1);
    if (axis === undefined) continue;
    const onesided = (node.attributes.get('onesided')?.int ?? 0) !== 0;
    const size = length ? await knownScalar(values, length) : onesided && isInverse(node) ? naturalSize(values.shape(input), axis) : undefined;
    if (size === undefined) continue;
    const bins = onesided && !isInverse(node) ? Math.floor(size / 2) + 1 : size;
    const parts = onesided && isInverse(node) ? 1 : 2;
    const rank = values.rank(input);
    if (axis >= 0 && rank === undefined) continue;
    replacements.set(node, standIn(node, input, axis < 0 ? axis : axis - rank!, bins, parts));
  }
  return replacements;
}

/** Points of an inverse transform of a half spectrum, of which the inference does not know the real result. */
function naturalSize(shape: readonly number[] | undefined, axis: number): number | undefined {
  const bins = shape?.[axis < 0 ? axis + shape.length : axis];
  return bins === undefined ? undefined : 2 * (bins - 1);
}

/** Without computing anything. */
async function knownScalar(values: ModelValues, name: string): Promise<number | undefined> {
  return values.isKnown(name) ? values.scalar(name) : undefined;
}

/** The first element along both axes, repeated: operators whose shapes the inference always tells. `axis`: counted from the end. */
function standIn(node: OnnxNode, input: string, axis: number, bins: number, parts: number): Uint8Array[] {
  const b = new GraphBuilder([input, node.outputs[0]]);
  const scope = `${node.outputs[0]}/shape`;
  const integers = (list: number[]): string => b.node('Constant', scope, [], { attributes: { value_ints: ints(list) } });
  const one = b.node('Slice', scope, [input, integers([0, 0]), integers([1, 1]), integers([axis, -1])]);
  const target = new Array<number>(-axis).fill(1);
  target[0] = bins;
  target[target.length - 1] = parts;
  b.nameLast(b.node('Expand', scope, [one, integers(target)]), node.outputs[0]);
  return b.nodes.map((message) => onnx.NodeProto.encode(message).finish());
}
