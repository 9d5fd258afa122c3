/**
 * What the native addon offers to TypeScript. The kernel host loads it (kernel-host/addon.ts) and passes it down, so core
 * never loads native code itself. All arrays are row-major. Long calls run on the addon's own threads and return promises;
 * an aborted call rejects with an Error whose `code` is 'cancelled'.
 */
export interface Engine {
  devices(): DeviceReport;
  /** Chooses an algorithm and brings the filter into its layout (spectra, tables). Free it when done. */
  prepare(spec: ConvolutionSpec, filter: SampleArray): Promise<PreparedConvolution>;
  /** What prepare would choose and cost, without preparing anything. */
  predict(spec: ConvolutionSpec, batch: number, length: number, threads: number): Prediction;
  /** Applies a mask to filters in float64 and measures what it did, channel by channel. */
  maskFilter(request: MaskFilterRequest): Promise<MaskedFilter>;
  /** |K(f)|, or arg K(f) in [-pi, pi], of K = FFT_fftSize(row) of each row for bins 0..fftSize/2, computed in float64: [rows, fftSize/2 + 1]. */
  spectrum(rows: Float32Array, taps: number, fftSize: number, part?: SpectrumPart): Promise<Float32Array>;
  /** Evaluates a Hyena implicit filter (sine MLP with exponential window) in float64: [channels, positions], or what `into` names. */
  sirenFilter(request: SirenFilterRequest): Promise<Float32Array>;
  /** Evaluates filters that are sums of (complex) exponentials, in float64, into `output`. */
  modalFilter(request: ModalFilterRequest): Promise<void>;
  /** Evaluates filters of state-space layers whose state matrix is diagonal plus low rank, in float64, into `output`. */
  lowRankFilter(request: LowRankFilterRequest): Promise<void>;
}

/** Default: magnitude. */
export type SpectrumPart = 'magnitude' | 'phase';

export interface DeviceReport { readonly cpu: CpuDevice; readonly cuda: CudaDevice }
export interface CpuDevice {
  readonly name: string;
  /** Instruction sets that this build has kernels for and this processor runs, best last. */
  readonly instructionSets: readonly InstructionSet[];
  readonly threads: number;
}
export interface CudaDevice { readonly usable: boolean; /** Why not, and what to do, where not usable. */ readonly reason?: string; readonly name?: string }
export type InstructionSet = 'portable' | 'neon' | 'avx2' | 'avx512';

/** Samples of signals and filters: float32 numbers, or the bit patterns of IEEE binary16 or bfloat16. Arithmetic is float32 whatever the type. */
export type SampleType = 'f32' | 'f16' | 'bf16';
/** Float32Array for f32, Uint16Array for the others. */
export type SampleArray = Float32Array | Uint16Array;

export interface ConvolutionSpec {
  readonly channels: number;
  /**
   * causal:   y[t] = sum_{j=0..min(t, filterLength-1)} k[j] u[t-j]
   * grid:     the filter row holds fftSize circular lags (lag n-fftSize for n >= fftSize/2); inputs up to fftSize/2 long are
   *           zero-padded to fftSize and the first `length` outputs kept: y[t] = sum_s k[(t-s) mod fftSize] u[s].
   * circular: y[t] = sum_{j=0..filterLength-1} k[j] u[(t-j) mod length], length equal to the run's length.
   */
  readonly mode: 'causal' | 'grid' | 'circular';
  /** Row length of the filter array: taps; fftSize in mode grid. Must be fftSize for mode grid. */
  readonly filterLength: number;
  /** Longest input that will be run. In mode circular: the exact length. */
  readonly maxLength: number;
  /** Mode grid: the Monarch grid and which of the bins 0..fftSize/2 are non-zero. Dropped bins are skipped and count as exactly 0. */
  readonly grid?: { readonly fftSize: number; readonly factors: readonly number[]; readonly kept: Uint8Array };
  /** Type of the filter array; default f32. */
  readonly filterType?: SampleType;
  /** Default: best available. */
  readonly instructionSet?: InstructionSet;
}

export interface Prediction {
  /** e.g. "right-angle FFT", "overlap-save", "Toeplitz", "comb-row FFT", "decimated FFT". */
  readonly algorithm: string;
  /** Seconds for one call, from the cost model. */
  readonly seconds: number;
  /** Bytes of the prepared filter. */
  readonly preparedBytes: number;
  /** Share of the dense arithmetic that is really executed (1 = nothing is skipped). */
  readonly executedFraction: number;
}

export interface PreparedConvolution {
  readonly spec: ConvolutionSpec;
  readonly prediction: Omit<Prediction, 'seconds'>;
  /** Writes `output`. Never touches input. Resolves with the seconds that the kernel took, without the way to its thread and back. */
  run(call: ConvolutionCall | HalfConvolutionCall, signal?: AbortSignal): Promise<number>;
  free(): void;
}

/** A call on float32 samples. */
export interface ConvolutionCall extends CallOn<Float32Array> { readonly sampleType?: 'f32' }
/** A call on 16-bit samples: widened, convolved in float32, and rounded to nearest even. */
export interface HalfConvolutionCall extends CallOn<Uint16Array> { readonly sampleType: 'f16' | 'bf16' }

interface CallOn<Samples> {
  /** [batch, totalChannels, length]; this convolution reads channels firstChannel .. firstChannel + spec.channels. */
  readonly input: Samples;
  /** Same layout as input. Only this convolution's channels are written. */
  readonly output: Samples;
  readonly batch: number;
  readonly length: number;
  readonly totalChannels?: number;
  readonly firstChannel?: number;
  /** Multiplied into the input before the convolution, same layout as input. */
  readonly preGate?: Samples;
  /** Multiplied into the result (after the skip term), same layout as input. */
  readonly postGate?: Samples;
  /** [totalChannels]: y += skip[channel] * (input * preGate). */
  readonly skip?: Float32Array;
  /**
   * Mode causal: the filterLength - 1 inputs, after their gate, that precede the call's first point, oldest first: [batch, channels,
   * filterLength - 1] (spec.channels, not totalChannels). Replaced by the last ones once the call has succeeded, so that an input of any
   * length can be run in pieces; ConvolutionStream does so. Where the kernel is neither Toeplitz nor overlap-save, the history and the
   * piece together must not be longer than spec.maxLength.
   */
  readonly history?: Float32Array;
  readonly threads?: number;
}

export interface MaskFilterRequest {
  /** [channels, taps] */
  readonly filter: Float32Array;
  readonly channels: number;
  readonly taps: number;
  /** Frequency mask: effective gain g(f) for bins 0..fftSize/2 of the fftSize-point spectrum; fftSize >= taps. Absent: none. */
  readonly frequency?: { readonly fftSize: number; readonly gain: Float64Array };
  /** Partial mask, applied after the frequency mask: a weight for each lag 0..weights.length-1; every other lag becomes 0. */
  readonly lagWeights?: Float64Array;
  /**
   * none: measures only. causal: rows of `taps` lags 0..taps-1 (the re-causalised filter if negative lags were not 0).
   * grid: rows of fftSize circular lags (needs `frequency`).
   */
  readonly want: 'none' | 'causal' | 'grid';
}

/** Per-channel sums of squares over lags; ratios are formed by the caller. */
export interface MaskedFilter {
  readonly masked?: Float32Array;
  /** sum over lags 0..taps-1 of k^2 */
  readonly energy: Float64Array;
  /** sum over lags 0..taps-1 of (k' - k)^2 */
  readonly errorEnergy: Float64Array;
  /** sum over all lags of k'^2 */
  readonly maskedEnergy: Float64Array;
  /** sum over negative lags (circular index >= fftSize/2) of k'^2 */
  readonly leakEnergy: Float64Array;
}

export interface SirenFilterRequest {
  /** Positional features [positions, features]. */
  readonly z: Float32Array;
  /** Window time of each position [positions]. */
  readonly t: Float32Array;
  readonly features: number;
  /** Hidden layers in order: weight [width, in], bias [width]; each followed by sin(freq * x). */
  readonly layers: readonly { readonly weight: Float32Array; readonly bias: Float32Array }[];
  /** [width], shared by every sine. */
  readonly freq: Float32Array;
  /** Output layer rows of the wanted channels: [channels, width]. */
  readonly output: Float32Array;
  /** Window: k *= exp(-t * |delta_c|) + shift; absent when the model does not modulate. */
  readonly window?: { readonly deltas: Float32Array; readonly shift: number };
  /** Where the filter goes: channel c from `rows[c * stride]` on; the promise then gives `rows`. Absent: a new array. */
  readonly into?: { readonly rows: Float32Array; readonly stride: number };
}

/**
 * output[c, j] = direct[c] [first + j = 0] + sum_s Re(residue[c, s] * exp((first + j - delay) * logPole[c, s])), where lags below `delay` have
 * no sum. A pole of 0 has the logarithm -Infinity and counts as 0^0 = 1. Poles and residues are [channels, states].
 */
export interface ModalFilterRequest {
  readonly channels: number;
  readonly states: number;
  /** Without `im`: real, positive poles. */
  readonly logPoles: { readonly re: Float64Array; readonly im?: Float64Array };
  /** Without `im`: real residues. */
  readonly residues: { readonly re: Float64Array; readonly im?: Float64Array };
  /** [channels] */
  readonly direct?: Float64Array;
  /** Lag at which the sum starts, 0 by default. */
  readonly delay?: number;
  /** First lag wanted, and how many. */
  readonly first: number;
  readonly count: number;
  /** [channels, count] */
  readonly output: Float32Array;
}

/**
 * output[c, j] = C dA^(first + j) dB with A = diag(poles) - P P^H over the stored states and their conjugates, P = lowRank, B = inputs, discretised
 * bilinearly: dA = (I - dt/2 A)^-1 (I + dt/2 A), dB = (I - dt/2 A)^-1 dt B, dt = steps[c]. C is `outputs`, or `outputs` (I - dA^tuned)^-1 where the
 * stored C is tuned to a length.
 */
export interface LowRankFilterRequest {
  readonly channels: number;
  /** Stored ones, one of each conjugate pair; at most 1024. */
  readonly states: number;
  readonly rank: number;
  /** [channels, states] */
  readonly poles: ComplexArray;
  /** [channels, rank, states] */
  readonly lowRank: ComplexArray;
  /** [channels, states] */
  readonly inputs: ComplexArray;
  /** [channels, states] */
  readonly outputs: ComplexArray;
  /** [channels] */
  readonly steps: Float64Array;
  /** Length that `outputs` is tuned to; 0, the default: not tuned. */
  readonly tuned?: number;
  /** First lag wanted, and how many. */
  readonly first: number;
  readonly count: number;
  /** [channels, count] */
  readonly output: Float32Array;
}

export interface ComplexArray { readonly re: Float64Array; readonly im: Float64Array }
