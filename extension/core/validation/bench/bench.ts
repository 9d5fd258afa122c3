import type { Engine, SampleArray } from '../../engine/engine';
import type { Gpu } from '../../engine/gpu';
import type { DenseSessions } from '../../graph/dense-sessions';
import type { ReportProgress } from '../../protocol/rpc';
import { compareSamples } from '../speed';
import { cpuDevice } from './cpu-device';
import { cutFilter } from './cut-filter';
import type { CutFilter } from './cut-filter';
import type { BenchDevice, Signals } from './device';
import { floorMs } from './floor';
import { gpuDevice } from './gpu-device';
import { onnxConvMs, onnxDftMs } from './onnx-baselines';
import { sampledError } from './reference';
import { operationName } from './request';
import type { BenchOperation, BenchRequest, BenchResult, BenchShape } from './request';
import { fromSamples, noise, SAMPLE_BYTES, toSamples } from './samples';

export interface FftwQuestion extends BenchShape { readonly circular: boolean; readonly gated: boolean; readonly threads: number }

/** What the benchmark measures with. */
export interface BenchTools {
  readonly engine: Engine;
  /** The GPU, for its kernels in place of the processor's. */
  readonly gpu?: Gpu;
  /** With as many threads as the request asks for. */
  readonly sessions: DenseSessions;
  readonly threads: number;
  /** Median milliseconds of FFTW on the same shape; undefined where it is not installed. */
  readonly fftw: (question: FftwQuestion) => Promise<number | undefined>;
}

/**
 * Times every operation on every shape: filters and signals of noise, prepared, warm, repeated, in turn with the dense convolution of
 * the same shape, and checks the outputs of the timed kernel against float64.
 */
export async function runBench(request: BenchRequest, tools: BenchTools, progress: ReportProgress): Promise<BenchResult[]> {
  const results: BenchResult[] = [];
  const total = request.shapes.length * request.operations.length;
  for (const shape of request.shapes) {
    const report = (what: string): void => progress({ message: `B${shape.batch} H${shape.channels} L${shape.length}: ${what}`, fraction: results.length / total });
    report('signals and rates');
    results.push(...(await benchShape(request, shape, tools, report)));
  }
  return results;
}

async function benchShape(request: BenchRequest, shape: BenchShape, tools: BenchTools, report: (what: string) => void): Promise<BenchResult[]> {
  const signals = makeSignals(request, shape);
  const device = tools.gpu ? await gpuDevice(tools.gpu, request, shape, signals) : cpuDevice(tools.engine, tools.threads, request, shape, signals);
  try {
    return await benchOn(device, request, shape, signals, tools, report);
  } finally {
    device.close();
  }
}

async function benchOn(device: BenchDevice, request: BenchRequest, shape: BenchShape, signals: Signals, tools: BenchTools, report: (what: string) => void): Promise<BenchResult[]> {
  const { engine, gpu, sessions, threads } = tools;
  const { circular, gated, dtype } = request;
  const rates = await device.rates();
  const question = {
    shape, circular, input: fromSamples(signals.input, dtype),
    gates: signals.pre && signals.post && { pre: fromSamples(signals.pre, dtype), post: fromSamples(signals.post, dtype) },
  };
  // Other libraries run on the processor: no yardstick for a GPU.
  let shared = {};
  if (!gpu) {
    report('FFTW and ONNX Runtime');
    shared = { ...named('fftw', await tools.fftw({ ...shape, circular, gated, threads })),
      ...named('onnxruntime-dft', await onnxDftMs(sessions, { ...question, filter: signals.filter, taps: shape.length })) };
  }
  const cutBy = (operation: BenchOperation): Promise<CutFilter> => cutFilter(engine, operation, shape, circular, signals.filter);
  const denseCut = await cutBy({ kind: 'dense' }), dense = await device.prepare(denseCut);
  try {
    const results: BenchResult[] = [];
    for (const operation of request.operations) {
      report(operationName(operation));
      const isDense = operation.kind === 'dense';
      const cut = isDense ? denseCut : await cutBy(operation);
      const own = isDense ? dense : await device.prepare(cut);
      try {
        const [time, denseTime] = await compareSamples((isDense ? [own] : [own, dense]).map((kernel) => () => kernel.run()));
        await own.run();
        const error = sampledError({
          spec: cut.spec, rows: cut.rows, shape, input: question.input, output: fromSamples(await own.output(), dtype), preGate: question.gates?.pre, postGate: question.gates?.post,
        });
        const convMs = cut.spec.mode === 'causal' && !gpu ? await onnxConvMs(sessions, { ...question, filter: cut.rows, taps: cut.spec.filterLength }) : undefined;
        results.push({
          backend: request.backend, op: operationName(operation), causal: !circular, gated, dtype,
          B: shape.batch, H: shape.channels, L: shape.length, N: cut.fftSize, kept: cut.kept, threads,
          median_ms: time.median_ms, mad_ms: time.mad_ms,
          floor_ms: floorMs(rates, { shape, operation, kept: cut.kept, circular, gated, sampleBytes: SAMPLE_BYTES[dtype] }),
          error, algorithm: own.algorithm,
          baselines: { ...named('dense', denseTime?.median_ms), ...shared, ...named('onnxruntime-conv', convMs) },
        });
      } finally {
        if (!isDense) own.free();
      }
    }
    return results;
  } finally {
    dense.free();
  }
}

function makeSignals({ gated, dtype }: BenchRequest, { batch, channels, length }: BenchShape): Signals {
  const count = batch * channels * length;
  const samples = (seed: number): SampleArray => toSamples(noise(count, seed), dtype);
  const filter = fromSamples(toSamples(noise(channels * length, 1), dtype), dtype);
  return { filter, input: samples(2), ...(gated ? { pre: samples(3), post: samples(4) } : {}) };
}

const named = (name: string, milliseconds: number | undefined): Record<string, number> => (milliseconds === undefined ? {} : { [name]: milliseconds });
