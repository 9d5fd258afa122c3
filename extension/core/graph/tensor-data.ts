import { ElementType } from './builder';
import type { onnx } from './onnx';

export const dimensions = (value: onnx.ITensorProto): number[] => (value.dims ?? []).map(Number);

/** Values of a FLOAT tensor. Copies raw data, which lies unaligned in a decoded model. */
export function floatValues(value: onnx.ITensorProto): Float32Array {
  if (value.dataType !== ElementType.FLOAT) throw new Error(`Tensor ${value.name} has data type ${value.dataType}, not FLOAT.`);
  if (!value.rawData?.length) return Float32Array.from(value.floatData ?? []);
  return new Float32Array(Uint8Array.from(value.rawData).buffer);
}
