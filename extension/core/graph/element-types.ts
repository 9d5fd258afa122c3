import { ElementType } from './builder';
import type { onnx } from './onnx';

const INT64_RESULT = new Set(['Shape', 'Size', 'NonZero', 'ArgMax', 'ArgMin']);
const BOOL_RESULT = new Set([
  'Equal', 'Less', 'LessOrEqual', 'Greater', 'GreaterOrEqual', 'And', 'Or', 'Not', 'Xor', 'IsNaN', 'IsInf',
]);
/** Second outputs that are not of the first input's type. */
const INT64_SECOND_RESULT = new Set(['TopK', 'Unique', 'MaxPool']);

/**
 * Element type (TensorProto.DataType) of every value of a graph, which ONNX wants declared where a graph is cut. Declared types
 * (inputs, outputs, value_info) are taken; the rest follows from the operators, most of which keep their first input's type.
 */
export function inferElementTypes(graph: onnx.IGraphProto): Map<string, number> {
  const types = new Map<string, number>();
  for (const value of [...(graph.input ?? []), ...(graph.output ?? []), ...(graph.valueInfo ?? [])]) {
    const type = value.type?.tensorType?.elemType;
    if (type) types.set(value.name!, type);
  }
  for (const value of graph.initializer ?? []) types.set(value.name!, value.dataType!);
  for (const node of graph.node ?? []) {
    (node.output ?? []).forEach((name, index) => {
      if (name && !types.has(name)) types.set(name, resultType(node, index, types));
    });
  }
  return types;
}

function resultType(node: onnx.INodeProto, index: number, types: ReadonlyMap<string, number>): number {
  const op = node.opType ?? '';
  const attribute = (name: string): onnx.IAttributeProto | undefined => node.attribute?.find((a) => a.name === name);
  const input = (i: number): number => types.get(node.input?.[i] ?? '') ?? ElementType.FLOAT;
  if (INT64_RESULT.has(op) || (index > 0 && INT64_SECOND_RESULT.has(op))) return ElementType.INT64;
  if (BOOL_RESULT.has(op)) return ElementType.BOOL;
  switch (op) {
    case 'Cast': return Number(attribute('to')?.i);
    case 'CastLike': case 'Where': return input(1);
    case 'OneHot': return input(2);
    case 'If': return subgraphResult(attribute('then_branch'), index);
    // The first output of a loop's body is the condition.
    case 'Loop': return subgraphResult(attribute('body'), index + 1);
    case 'Scan': return subgraphResult(attribute('body'), index);
    case 'Constant': return constantType(node.attribute?.[0]);
    case 'ConstantOfShape': return attribute('value')?.t?.dataType ?? ElementType.FLOAT;
    default: return input(0);
  }
}

function subgraphResult(subgraph: onnx.IAttributeProto | undefined, index: number): number {
  return subgraph?.g?.output?.[index]?.type?.tensorType?.elemType ?? ElementType.FLOAT;
}

function constantType(value: onnx.IAttributeProto | undefined): number {
  if (value?.t) return value.t.dataType!;
  return value?.name === 'value_int' || value?.name === 'value_ints' ? ElementType.INT64 : ElementType.FLOAT;
}
