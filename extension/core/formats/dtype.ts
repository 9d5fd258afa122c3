import type { DType } from './tensor-file';

/** Bits per element, in the order of the official library, which writes the last ones first. */
const BITS: Readonly<Record<DType, number>> = {
  BOOL: 8, F4: 4, F6_E2M3: 6, F6_E3M2: 6, U8: 8, I8: 8, F8_E5M2: 8, F8_E4M3: 8, F8_E8M0: 8, F8_E4M3FNUZ: 8, F8_E5M2FNUZ: 8,
  I16: 16, U16: 16, F16: 16, BF16: 16, I32: 32, U32: 32, F32: 32, C64: 64, F64: 64, I64: 64, U64: 64,
};

/** Every dtype of the safetensors format, ascending in alignment. */
export const DTYPES = Object.keys(BITS) as readonly DType[];
const NAMES: ReadonlySet<string> = new Set(DTYPES);

export const isDType = (name: string): name is DType => NAMES.has(name);
export const bitsOf = (dtype: DType): number => BITS[dtype];

/** Number of elements of a shape; 1 for a scalar. */
export const elementCount = (shape: readonly number[]): number => shape.reduce((product, dimension) => product * dimension, 1);

export type FloatDType = 'F64' | 'F32' | 'F16' | 'BF16';
export const isFloatDType = (dtype: DType): dtype is FloatDType => dtype === 'F64' || dtype === 'F32' || dtype === 'F16' || dtype === 'BF16';
