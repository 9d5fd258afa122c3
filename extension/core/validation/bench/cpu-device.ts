import type { ConvolutionCall, Engine, HalfConvolutionCall } from '../../engine/engine';
import type { BenchDevice, Signals } from './device';
import { measureRates } from './floor';
import type { BenchRequest, BenchShape } from './request';
import { emptySamples } from './samples';

/** Kernels on this many threads of the processor. */
export function cpuDevice(engine: Engine, threads: number, { dtype }: BenchRequest, shape: BenchShape, { input, pre, post }: Signals): BenchDevice {
  const output = emptySamples(input.length, dtype);
  const call = { input, output, preGate: pre, postGate: post, batch: shape.batch, length: shape.length, threads, sampleType: dtype } as ConvolutionCall | HalfConvolutionCall;
  return {
    rates: () => measureRates(engine, shape, threads),
    prepare: async ({ spec, rows }) => {
      const prepared = await engine.prepare(spec, rows);
      return {
        algorithm: prepared.prediction.algorithm,
        run: async () => {
          const begin = performance.now();
          await prepared.run(call);
          return performance.now() - begin;
        },
        output: () => Promise.resolve(output),
        free: () => prepared.free(),
      };
    },
    close: () => undefined,
  };
}
