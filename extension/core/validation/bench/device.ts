import type { SampleArray } from '../../engine/engine';
import type { CutFilter } from './cut-filter';
import type { MachineRates } from './floor';

/** Noise of one shape, as samples of the request's type and as the float32 values that they stand for. */
export interface Signals {
  /** [H, L] */
  readonly filter: Float32Array;
  /** [B, H, L] each */
  readonly input: SampleArray;
  readonly pre?: SampleArray;
  readonly post?: SampleArray;
}

/** A prepared convolution of a shape's signals. */
export interface BenchRun {
  readonly algorithm: string;
  /** Runs it once: milliseconds. */
  run(): Promise<number>;
  /** What the last run wrote, [B, H, L]. */
  output(): Promise<SampleArray>;
  free(): void;
}

/** Where the kernels of one shape run. */
export interface BenchDevice {
  rates(): Promise<MachineRates>;
  prepare(cut: CutFilter): Promise<BenchRun>;
  close(): void;
}
