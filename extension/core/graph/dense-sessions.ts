/** Element types that cross the border between dense pieces and the rest. */
export type DenseType = 'float32' | 'float64' | 'int64' | 'int32' | 'bool';
export type DenseData = Float32Array | Float64Array | BigInt64Array | Int32Array | Uint8Array;

export interface DenseTensor {
  readonly type: DenseType;
  /** Row-major. */
  readonly data: DenseData;
  readonly dims: readonly number[];
}

/** A loaded ONNX model made of standard operators. */
export interface DenseSession {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  /** Computes the wanted outputs. The feeds are only read, and only until the promise settles. */
  run(feeds: ReadonlyMap<string, DenseTensor>, wanted: readonly string[]): Promise<Map<string, DenseTensor>>;
  dispose(): Promise<void>;
}

/** Where dense graph pieces run. ONNX Runtime in the kernel host; passed down so that core loads no native code itself. */
export interface DenseSessions {
  /** `model`: an encoded ModelProto. */
  create(model: Uint8Array): Promise<DenseSession>;
}
