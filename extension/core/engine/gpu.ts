import type { ConvolutionSpec, Prediction, SampleType } from './engine';

/**
 * The GPU as the native addon offers it: memory that stays on the device and the operations of a model on it. All calls that return
 * nothing start work and return; promises resolve when the work is done. Everything runs in the order of the calls, so a buffer may be
 * released as soon as the calls that read it were made. Arrays are row-major; addresses are numbers. See native/include/longconv/cuda.h.
 */
export interface Gpu {
  /** Throws where CUDA cannot be used, with the reason. */
  open(): { readonly name: string; readonly computeCapability: string; readonly memoryBytes: number };
  allocate(request: { readonly bytes: number }): number;
  release(request: { readonly address: number }): void;
  upload(to: { readonly address: number }, data: GpuData): Promise<void>;
  download(from: { readonly address: number }, into: GpuData): Promise<void>;
  synchronize(): Promise<void>;
  memory(request: { readonly resetPeak: 0 | 1 }): { readonly usedBytes: number; readonly peakBytes: number; readonly freeBytes: number };
  makeMark(): number;
  /** Device time between two marks, which are freed. */
  secondsBetween(marks: { readonly first: number; readonly second: number }): Promise<number>;

  /** seconds: of one row of spec.maxLength samples for each channel, as on an H100. */
  predictConvolution(spec: GpuConvolutionSpec): Omit<Prediction, 'executedFraction'>;
  prepareConvolution(spec: GpuConvolutionSpec, filter: Float32Array): Promise<number>;
  runConvolution(call: GpuConvolutionCall): void;
  freeConvolution(request: { readonly convolution: number }): void;

  gemm(call: GemmCall): void;
  norm(call: NormCall): void;
  depthwise(call: DepthwiseCall): void;
  elementwise(call: ElementwiseCall): void;
  /** y[r] = table[index[r]]; an index outside the table makes the row NaN. */
  gather(call: { readonly index: number; readonly rows: number; readonly table: number; readonly tableRows: number; readonly width: number; readonly y: number; readonly yElement: GpuElement }): void;
  /** Sums over rows of logits [rows, classes] (f32) against targets [rows] (i32). divergence: KL(dense || logits). */
  metrics(call: { readonly logits: number; readonly dense?: number; readonly targets: number; readonly rows: number; readonly classes: number }): Promise<TokenSums>;
  /** [sum (a - b)^2, sum b^2] */
  difference(call: { readonly a: number; readonly b: number; readonly element: GpuElement; readonly count: number }): Promise<[number, number]>;
}

/** exact: in float32 accuracy; otherwise the kernels round their operands to float16. */
export type GpuConvolutionSpec = ConvolutionSpec & { readonly exact: 0 | 1 };

export type GpuElement = SampleType | 'i32';
export type GpuData = Float32Array | Uint16Array | Int32Array;
export const elementBytes = (element: GpuElement): number => (element === 'f16' || element === 'bf16' ? 2 : 4);

/** See lc_cuda_convolution_call. */
export interface GpuConvolutionCall {
  readonly convolution: number;
  readonly element: GpuElement;
  readonly input: number;
  readonly output: number;
  readonly preGate?: number;
  readonly postGate?: number;
  readonly skip?: number;
  readonly batch: number;
  readonly length: number;
  readonly totalChannels: number;
  readonly firstChannel: number;
}

export type Activation = 'none' | 'gelu-tanh' | 'gelu' | 'silu' | 'relu' | 'sigmoid' | 'tanh';

/** See lc_cuda_gemm: d = residual + activation(a b + bias). */
export interface GemmCall {
  readonly batch: number;
  readonly rows: number;
  readonly columns: number;
  readonly inner: number;
  readonly operandElement: GpuElement;
  readonly outputElement: GpuElement;
  readonly transposedA: 0 | 1;
  readonly transposedB: 0 | 1;
  readonly a: number;
  readonly b: number;
  readonly d: number;
  readonly aStride: number;
  readonly bStride: number;
  readonly dStride: number;
  readonly bias?: number;
  readonly biasAlongRows?: 0 | 1;
  readonly activation?: Activation;
  readonly residual?: number;
}

export interface NormCall {
  readonly x: number;
  readonly y: number;
  readonly xElement: GpuElement;
  readonly yElement: GpuElement;
  readonly scale: number;
  readonly shift?: number;
  readonly epsilon: number;
  readonly rows: number;
  readonly width: number;
  readonly rootMeanSquare: 0 | 1;
}

/** See lc_cuda_depthwise. */
export interface DepthwiseCall {
  readonly x: number;
  /** x is [batch, length, channels]. */
  readonly transposedX: 0 | 1;
  readonly y: number;
  readonly element: GpuElement;
  readonly weight: number;
  readonly bias?: number;
  readonly batch: number;
  readonly channels: number;
  readonly length: number;
  readonly outputLength: number;
  readonly taps: number;
  readonly padLeft: number;
  readonly groups: number;
}

export type ElementwiseOperation =
  | 'copy' | 'add' | 'subtract' | 'multiply' | 'divide' | 'power' | 'maximum' | 'minimum' | 'activate'
  | 'negate' | 'exponential' | 'logarithm' | 'square-root' | 'reciprocal' | 'erf' | 'absolute' | 'sine' | 'cosine';

/** Row-major view; a stride of 0 repeats. At most 6 dimensions. */
export interface GpuView { readonly address: number; readonly element: GpuElement; readonly dims: Float64Array; readonly strides: Float64Array }
export interface ElementwiseCall {
  readonly operation: ElementwiseOperation;
  readonly activation?: Activation;
  readonly a: GpuView;
  readonly b?: GpuView;
  readonly y: GpuView;
}

export interface TokenSums {
  readonly nll: number;
  readonly correct: number;
  readonly divergence: number;
  /** Rows whose logits are finite. */
  readonly finite: number;
}
