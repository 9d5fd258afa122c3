import { ElementType } from '../graph/builder';
import type { onnx } from '../graph/onnx';
import { constantTensor, dimensions } from '../graph/tensor-data';

/** Tensor that a Constant node makes, if it makes numbers. */
export function tensorOfNode(node: onnx.INodeProto): onnx.ITensorProto | undefined {
  const attribute = node.attribute?.[0];
  switch (attribute?.name) {
    case 'value': return attribute.t ?? undefined;
    case 'value_float': return { dims: [], dataType: ElementType.FLOAT, floatData: [attribute.f!] };
    case 'value_floats': return { dims: [attribute.floats!.length], dataType: ElementType.FLOAT, floatData: attribute.floats };
    case 'value_int': return { dims: [], dataType: ElementType.INT64, int64Data: [attribute.i!] };
    case 'value_ints': return { dims: [attribute.ints!.length], dataType: ElementType.INT64, int64Data: attribute.ints };
    default: return undefined;
  }
}

/** Every constant of a graph by name: initializers and the results of Constant nodes. */
export function constantTensors(nodes: readonly onnx.INodeProto[], initializers: ReadonlyMap<string, onnx.ITensorProto>): Map<string, onnx.ITensorProto> {
  const constants = new Map(initializers);
  for (const node of nodes) {
    const value = node.opType === 'Constant' ? tensorOfNode(node) : undefined;
    if (value) constants.set(node.output![0], value);
  }
  return constants;
}

/** Constants of a single float32 element. */
export function scalarConstants(nodes: readonly onnx.INodeProto[], initializers: ReadonlyMap<string, onnx.ITensorProto>): Map<string, number> {
  const scalars = new Map<string, number>();
  for (const [name, value] of constantTensors(nodes, initializers)) {
    const size = dimensions(value).reduce((a, b) => a * b, 1);
    if (size === 1 && value.dataType === ElementType.FLOAT) scalars.set(name, (constantTensor(value).data as Float32Array)[0]);
  }
  return scalars;
}

/** Whole numbers of an INT64 or INT32 tensor. */
export function integerValues(value: onnx.ITensorProto): number[] {
  if (value.dataType === ElementType.INT32) {
    return value.rawData?.length ? [...new Int32Array(Uint8Array.from(value.rawData).buffer)] : (value.int32Data ?? []).map(Number);
  }
  if (value.dataType !== ElementType.INT64) throw new Error(`Tensor ${value.name} has data type ${value.dataType}, not INT64.`);
  return value.rawData?.length ? [...new BigInt64Array(Uint8Array.from(value.rawData).buffer)].map(Number) : (value.int64Data ?? []).map(Number);
}
