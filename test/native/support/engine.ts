import { loadEngine } from '../../../extension/kernel-host/addon';
import type { ConvolutionCall, ConvolutionSpec, Engine, PreparedConvolution } from '../../../extension/core/engine/engine';

/** The native addon, as the kernel host loads it. */
export const engine: Engine = loadEngine();

/** Prepares, hands the convolution to `body`, frees it. */
export async function withPrepared<T>(spec: ConvolutionSpec, filter: Float32Array, body: (prepared: PreparedConvolution) => Promise<T>): Promise<T> {
  const prepared = await engine.prepare(spec, filter);
  try {
    return await body(prepared);
  } finally {
    prepared.free();
  }
}

/** Runs once into an output that was full of NaN, so that nothing unwritten passes. */
export async function runOnce(prepared: PreparedConvolution, call: Omit<ConvolutionCall, 'output'>, signal?: AbortSignal): Promise<Float32Array> {
  const output = new Float32Array(call.input.length).fill(NaN);
  await prepared.run({ ...call, output }, signal);
  return output;
}

/** Prepare, one run, free. */
export function convolveOnce(spec: ConvolutionSpec, filter: Float32Array, call: Omit<ConvolutionCall, 'output'>): Promise<Float32Array> {
  return withPrepared(spec, filter, (prepared) => runOnce(prepared, call));
}
