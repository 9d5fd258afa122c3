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
  /** Name of an earlier tensor that is the same memory, as tied weights of a PyTorch checkpoint are. */
  readonly sameAs?: string;
}

export interface TensorFile {
  /** Absolute path of the file; of the index where the tensors lie in several files. */
  readonly path: string;
  /** In the order of the file's header. */
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  readonly metadata: ReadonlyMap<string, string>;
  /** What a user must know about how the file was read, one sentence each. */
  readonly notes?: readonly string[];
  /** Absolute paths of all files that the model consists of, `path` first; absent where that is the only one. */
  readonly files?: readonly string[];
  /** safetensors where every one of the files is one, so that a copy of them is an export. */
  readonly format?: 'safetensors' | 'pytorch';
  /**
   * Raw little-endian bytes [begin, end) of a tensor's data; the whole tensor by default. They are put at the front of `into` where it is given,
   * which saves the memory of a new array for each of many pieces.
   */
  readBytes(name: string, begin?: number, end?: number, into?: Uint8Array): Promise<Uint8Array>;
  /** Elements [begin, end) of a floating-point (F64, F32, F16, BF16) tensor as float32; the whole tensor by default. */
  readFloat32(name: string, begin?: number, end?: number): Promise<Float32Array>;
  close(): Promise<void>;
}
