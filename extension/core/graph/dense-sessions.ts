/** Element types that cross the border between dense pieces and the rest. */
export type DenseType =
  | 'float32' | 'float64' | 'float16' | 'int64' | 'int32' | 'int16' | 'int8' | 'uint64' | 'uint32' | 'uint16' | 'uint8' | 'bool';
/** float16 as bit patterns in a Uint16Array. */
export type DenseData =
  | Float32Array | Float64Array | BigInt64Array | BigUint64Array | Int32Array | Uint32Array | Int16Array | Uint16Array | Int8Array | Uint8Array;

type DenseView = new (buffer: ArrayBuffer) => DenseData;

/** Types by TensorProto.DataType. */
export const DENSE_TYPES: Readonly<Record<number, { readonly type: DenseType; readonly View: DenseView } | undefined>> = {
  1: { type: 'float32', View: Float32Array }, 2: { type: 'uint8', View: Uint8Array }, 3: { type: 'int8', View: Int8Array },
  4: { type: 'uint16', View: Uint16Array }, 5: { type: 'int16', View: Int16Array }, 6: { type: 'int32', View: Int32Array },
  7: { type: 'int64', View: BigInt64Array }, 9: { type: 'bool', View: Uint8Array }, 10: { type: 'float16', View: Uint16Array },
  11: { type: 'float64', View: Float64Array }, 12: { type: 'uint32', View: Uint32Array }, 13: { type: 'uint64', View: BigUint64Array },
};

export interface DenseTensor {
  readonly type: DenseType;
  /** Row-major. */
  readonly data: DenseData;
  readonly dims: readonly number[];
}

/** What the runtime infers about an output without running. Dimensions that depend on the input are names. */
export interface DenseOutput { readonly name: string; readonly type: string; readonly shape: readonly (number | string)[] }

/** A loaded ONNX model made of standard operators. */
export interface DenseSession {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  /** Inferred types and shapes of the outputs that are tensors. */
  readonly outputs: readonly DenseOutput[];
  /** Computes the wanted outputs. The feeds are only read, and only until the promise settles. */
  run(feeds: ReadonlyMap<string, DenseTensor>, wanted: readonly string[]): Promise<Map<string, DenseTensor>>;
  dispose(): Promise<void>;
}

/** Where dense graph pieces run. ONNX Runtime in the kernel host; passed down so that core loads no native code itself. */
export interface DenseSessions {
  /** `model`: an encoded ModelProto. */
  create(model: Uint8Array, options?: DenseSessionOptions): Promise<DenseSession>;
  /** The same for a file, with the data files beside it. */
  createFromFile(path: string): Promise<DenseSession>;
}

export interface DenseSessionOptions {
  /** The graph is taken as it is: nothing is folded or fused, and creation costs next to nothing. For models that only tell their shapes. */
  readonly asIs?: boolean;
}

/** Zeros of a type. */
export function emptyData(type: DenseType, length: number): DenseData {
  const { View } = DENSE_TYPES[elementTypeOf(type)]!;
  return new View(new ArrayBuffer(length * (View as unknown as { readonly BYTES_PER_ELEMENT: number }).BYTES_PER_ELEMENT));
}

/** TensorProto.DataType of a type. */
export const elementTypeOf = (type: DenseType): number => Number(Object.keys(DENSE_TYPES).find((key) => DENSE_TYPES[Number(key)]?.type === type));

/** TensorProto.DataType of a type as ONNX Runtime names it; undefined for types that do not cross graph borders. */
export function elementTypeNamed(name: string | undefined): number | undefined {
  const found = Object.entries(DENSE_TYPES).find(([, known]) => known?.type === name);
  return found && Number(found[0]);
}
