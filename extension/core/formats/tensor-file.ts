/**
 * What every model-file reader offers: names, shapes, dtypes and ranged access to tensor bytes.
 * Nothing is loaded until asked for, so files larger than memory stay on disk.
 */
export type DType =
  | 'BOOL' | 'F4' | 'F6_E2M3' | 'F6_E3M2' | 'U8' | 'I8' | 'F8_E5M2' | 'F8_E4M3' | 'F8_E8M0' | 'F8_E4M3FNUZ' | 'F8_E5M2FNUZ'
  | 'I16' | 'U16' | 'F16' | 'BF16' | 'I32' | 'U32' | 'F32' | 'C64' | 'F64' | 'I64' | 'U64';

export interface TensorInfo {
  readonly name: string;
  readonly dtype: DType;
  /** Dimensions, outermost first; [] is a scalar. */
  readonly shape: readonly number[];
  /** Size of the tensor's data, in bytes. */
  readonly byteLength: number;
}

export interface TensorFile {
  /** Absolute path of the file. */
  readonly path: string;
  /** In the order of the file's header. */
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  readonly metadata: ReadonlyMap<string, string>;
  /** Raw little-endian bytes [begin, end) of a tensor's data; the whole tensor by default. */
  readBytes(name: string, begin?: number, end?: number): Promise<Uint8Array>;
  /** Elements [begin, end) of a floating-point (F64, F32, F16, BF16) tensor as float32; the whole tensor by default. */
  readFloat32(name: string, begin?: number, end?: number): Promise<Float32Array>;
  close(): Promise<void>;
}
