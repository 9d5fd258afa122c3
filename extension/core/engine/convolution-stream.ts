import type { ConvolutionCall, HalfConvolutionCall, PreparedConvolution } from './engine';

/**
 * Runs a causal convolution over an input of any length, piece by piece: each piece's outputs are those of the whole input. What is kept
 * between pieces are the last filterLength - 1 inputs of each row, so the memory does not depend on the input's length. Partial filters
 * (short against spec.maxLength) take pieces of any length up to spec.maxLength; see ConvolutionCall.history for the others.
 */
export class ConvolutionStream {
  private readonly history: Float32Array;

  /** Inputs before the first piece count as 0. The convolution stays the caller's, to be freed after the stream. */
  constructor(private readonly prepared: PreparedConvolution, batch: number) {
    const { channels, filterLength } = prepared.spec;
    this.history = new Float32Array(batch * channels * (filterLength - 1));
  }

  /** The next piece of every row; resolves as a run does. A piece that fails or is cancelled leaves the stream where it was. */
  push(call: Omit<ConvolutionCall, 'history'> | Omit<HalfConvolutionCall, 'history'>, signal?: AbortSignal): Promise<number> {
    return this.prepared.run({ ...call, history: this.history } as ConvolutionCall | HalfConvolutionCall, signal);
  }
}
