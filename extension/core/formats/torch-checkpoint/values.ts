import type { DType } from '../tensor-file';

/**
 * What a pickle describes, as inert data. Lists are arrays; everything of a class that is not known is a Placeholder, which
 * nothing ever calls.
 */
export type PickleValue =
  | null | boolean | number | bigint | string | PickleValue[]
  | Tuple | Dict | GlobalName | Placeholder | Storage | TorchTensor | UnreadableTensor;

export class Tuple { constructor(readonly items: readonly PickleValue[]) {} }

/** dict, OrderedDict, defaultdict and Counter. */
export class Dict { readonly entries = new Map<PickleValue, PickleValue>(); }

/** A class or function that the pickle names. */
export class GlobalName { constructor(readonly name: string) {} }

/** What a class or function that is not known would have made. */
export class Placeholder {
  readonly entries = new Map<PickleValue, PickleValue>();
  readonly items: PickleValue[] = [];
  state: PickleValue = null;

  constructor(readonly className: string) {}
}

/** A run of elements in the file that tensors are views of. */
export class Storage {
  constructor(
    readonly key: string,
    /** null: bytes whose type the tensor gives. */
    readonly dtype: TorchDType | null,
    /** In elements; in bytes where dtype is null. */
    readonly count: number,
  ) {}

  get byteLength(): number {
    return this.count * (this.dtype?.bytes ?? 1);
  }
}

export class TorchTensor {
  constructor(
    readonly storage: Storage,
    readonly dtype: TorchDType,
    /** Offset in the storage, dimensions and strides, in elements. */
    readonly offset: number,
    readonly shape: readonly number[],
    readonly strides: readonly number[],
  ) {}
}

/** A tensor whose layout (sparse, quantized, without data) has no place in a list of plain tensors. */
export class UnreadableTensor { constructor(readonly what: string) {} }

export interface TorchDType {
  /** As in `torch.float32`. */
  readonly name: string;
  readonly bytes: number;
  /** null where safetensors has no such type. */
  readonly dtype: DType | null;
}

const dtype = (name: string, bytes: number, safetensors: DType | null): TorchDType => ({ name, bytes, dtype: safetensors });

/** By the name after `torch.`. */
export const TORCH_DTYPES: ReadonlyMap<string, TorchDType> = new Map([
  dtype('float64', 8, 'F64'), dtype('float32', 4, 'F32'), dtype('float16', 2, 'F16'), dtype('bfloat16', 2, 'BF16'),
  dtype('int64', 8, 'I64'), dtype('int32', 4, 'I32'), dtype('int16', 2, 'I16'), dtype('int8', 1, 'I8'), dtype('uint8', 1, 'U8'), dtype('bool', 1, 'BOOL'),
  dtype('uint16', 2, 'U16'), dtype('uint32', 4, 'U32'), dtype('uint64', 8, 'U64'),
  dtype('float8_e4m3fn', 1, 'F8_E4M3'), dtype('float8_e5m2', 1, 'F8_E5M2'), dtype('float8_e4m3fnuz', 1, 'F8_E4M3FNUZ'),
  dtype('float8_e5m2fnuz', 1, 'F8_E5M2FNUZ'), dtype('float8_e8m0fnu', 1, 'F8_E8M0'),
  dtype('complex64', 8, 'C64'), dtype('complex128', 16, null), dtype('complex32', 4, null),
  dtype('qint8', 1, null), dtype('quint8', 1, null), dtype('qint32', 4, null),
].map((known) => [known.name, known]));

/** Class names after `torch.` of storages whose elements have a type. */
export const STORAGE_TYPES: ReadonlyMap<string, string> = new Map([
  ['DoubleStorage', 'float64'], ['FloatStorage', 'float32'], ['HalfStorage', 'float16'], ['BFloat16Storage', 'bfloat16'],
  ['LongStorage', 'int64'], ['IntStorage', 'int32'], ['ShortStorage', 'int16'], ['CharStorage', 'int8'], ['ByteStorage', 'uint8'], ['BoolStorage', 'bool'],
  ['ComplexFloatStorage', 'complex64'], ['ComplexDoubleStorage', 'complex128'],
  ['QInt8Storage', 'qint8'], ['QUInt8Storage', 'quint8'], ['QInt32Storage', 'qint32'],
]);
