import type { DType } from '../tensor-file';

/** TensorProto.DataType: bits of an element (0: no fixed size) and the dtype under which a tensor file shows it. */
const TYPES: Readonly<Record<number, { readonly name: string; readonly bits: number; readonly dtype?: DType }>> = {
  1: { name: 'float32', bits: 32, dtype: 'F32' }, 2: { name: 'uint8', bits: 8, dtype: 'U8' }, 3: { name: 'int8', bits: 8, dtype: 'I8' },
  4: { name: 'uint16', bits: 16, dtype: 'U16' }, 5: { name: 'int16', bits: 16, dtype: 'I16' }, 6: { name: 'int32', bits: 32, dtype: 'I32' },
  7: { name: 'int64', bits: 64, dtype: 'I64' }, 8: { name: 'string', bits: 0 }, 9: { name: 'bool', bits: 8, dtype: 'BOOL' },
  10: { name: 'float16', bits: 16, dtype: 'F16' }, 11: { name: 'float64', bits: 64, dtype: 'F64' }, 12: { name: 'uint32', bits: 32, dtype: 'U32' },
  13: { name: 'uint64', bits: 64, dtype: 'U64' }, 14: { name: 'complex64', bits: 64, dtype: 'C64' }, 15: { name: 'complex128', bits: 128 },
  16: { name: 'bfloat16', bits: 16, dtype: 'BF16' }, 17: { name: 'float8e4m3fn', bits: 8, dtype: 'F8_E4M3' },
  18: { name: 'float8e4m3fnuz', bits: 8, dtype: 'F8_E4M3FNUZ' }, 19: { name: 'float8e5m2', bits: 8, dtype: 'F8_E5M2' },
  20: { name: 'float8e5m2fnuz', bits: 8, dtype: 'F8_E5M2FNUZ' }, 21: { name: 'uint4', bits: 4 }, 22: { name: 'int4', bits: 4 },
  23: { name: 'float4e2m1', bits: 4, dtype: 'F4' }, 24: { name: 'float8e8m0', bits: 8, dtype: 'F8_E8M0' },
};

export const onnxBits = (type: number): number => TYPES[type]?.bits ?? 0;
export const onnxTypeName = (type: number): string => TYPES[type]?.name ?? `element type ${type}`;
/** undefined for types that a tensor file cannot show: text, complex128, 4-bit integers, types of later versions. */
export const onnxDType = (type: number): DType | undefined => TYPES[type]?.dtype;
