import { type DenseTensor, DENSE_TYPES } from './dense-sessions';
import type { onnx } from './onnx';

export const dimensions = (value: onnx.ITensorProto): number[] => (value.dims ?? []).map(Number);

/** Values of a tensor. Copies raw data, which lies unaligned in a decoded model. */
export function constantTensor(value: onnx.ITensorProto): DenseTensor {
  const known = DENSE_TYPES[value.dataType ?? 0];
  if (!known) throw new Error(`Tensor ${value.name} has data type ${value.dataType}, which cannot be read here.`);
  const { type, View } = known;
  const dims = dimensions(value);
  if (!value.rawData?.length && type === 'float32') return { type, data: Float32Array.from(value.floatData ?? []), dims };
  return { type, data: new View(Uint8Array.from(value.rawData ?? []).buffer), dims };
}
