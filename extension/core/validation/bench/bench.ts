import type { ConvolutionCall, Engine, HalfConvolutionCall, PreparedConvolution, SampleArray } from '../../engine/engine';
import type { DenseSessions } from '../../graph/dense-sessions';
import type { ReportProgress } from '../../protocol/rpc';
import { compareTimes } from '../speed';
import { cutFilter } from './cut-filter';
import type { CutFilter } from './cut-filter';
import { floorMs, measureRates } from './floor';
import { onnxConvMs, onnxDftMs } from './onnx-baselines';
import { sampledError } from './reference';
import { operationName } from './request';
import type { BenchOperation, BenchRequest, BenchResult, BenchShape } from './request';
import { emptySamples, fromSamples, noise, SAMPLE_BYTES, toSamples } from './samples';

export interface FftwQuestion extends BenchShape { readonly circular: boolean; readonly gated: boolean; readonly threads: number }

/** What the benchmark measures with. */
export interface BenchTools {
  readonly engine: Engine;
  /** With as many threads as the request asks for. */
  readonly sessions: DenseSessions;
  readonly threads: number;
  /** Median milliseconds of FFTW on the same shape; undefined where it is not installed. */
  readonly fftw: (question: FftwQuestion) => Promise<number | undefined>;
}

/** Noise of one shape, as samples of the request's type and as the float32 values that they stand for. */
interface Signals {
  /** [H, L] */
  readonly filter: Float32Array;
  readonly input: SampleArray;
  readonly pre?: SampleArray;
  readonly post?: SampleArray;
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
  const { engine, sessions, threads } = tools;
  const { circular, gated, dtype } = request;
  const signals = makeSignals(request, shape);
  const rates = await measureRates(engine, shape, threads);
  const question = {
    shape, circular, input: fromSamples(signals.input, dtype),
    gates: signals.pre && signals.post && { pre: fromSamples(signals.pre, dtype), post: fromSamples(signals.post, dtype) },
  };
  report('FFTW and ONNX Runtime');
  const shared = { ...named('fftw', await tools.fftw({ ...shape, circular, gated, threads })),
    ...named('onnxruntime-dft', await onnxDftMs(sessions, { ...question, filter: signals.filter, taps: shape.length })) };
  const dense = await timed(engine, { kind: 'dense' }, shape, request, signals);
  try {
    const results: BenchResult[] = [];
    for (const operation of request.operations) {
      report(operationName(operation));
      const isDense = operation.kind === 'dense';
      const own = isDense ? dense : await timed(engine, operation, shape, request, signals);
      try {
        const output = emptySamples(signals.input.length, dtype);
        const runs = (isDense ? [own] : [own, dense]).map(({ prepared }) => () => prepared.run(callOf(request, shape, signals, output, threads)));
        const [time, denseTime] = await compareTimes(runs);
        await runs[0]();
        const { cut, prepared } = own;
        const error = sampledError({
          spec: cut.spec, rows: cut.rows, shape, input: question.input, output: fromSamples(output, dtype), preGate: question.gates?.pre, postGate: question.gates?.post,
        });
        const convMs = cut.spec.mode === 'causal' ? await onnxConvMs(sessions, { ...question, filter: cut.rows, taps: cut.spec.filterLength }) : undefined;
        results.push({
          backend: request.backend, op: operationName(operation), causal: !circular, gated, dtype,
          B: shape.batch, H: shape.channels, L: shape.length, N: cut.fftSize, kept: cut.kept, threads,
          median_ms: time.median_ms, mad_ms: time.mad_ms,
          floor_ms: floorMs(rates, { shape, operation, kept: cut.kept, circular, gated, sampleBytes: SAMPLE_BYTES[dtype] }),
          error, algorithm: prepared.prediction.algorithm,
          baselines: { ...named('dense', denseTime?.median_ms), ...shared, ...named('onnxruntime-conv', convMs) },
        });
      } finally {
        if (!isDense) own.prepared.free();
      }
    }
    return results;
  } finally {
    dense.prepared.free();
  }
}

function makeSignals({ gated, dtype }: BenchRequest, { batch, channels, length }: BenchShape): Signals {
  const count = batch * channels * length;
  const samples = (seed: number): SampleArray => toSamples(noise(count, seed), dtype);
  const filter = fromSamples(toSamples(noise(channels * length, 1), dtype), dtype);
  return { filter, input: samples(2), ...(gated ? { pre: samples(3), post: samples(4) } : {}) };
}

/** Cuts the filter by the operation and prepares it. */
async function timed(engine: Engine, operation: BenchOperation, shape: BenchShape, request: BenchRequest, { filter }: Signals): Promise<{ cut: CutFilter; prepared: PreparedConvolution }> {
  const cut = await cutFilter(engine, operation, shape, request.circular, filter);
  return { cut, prepared: await engine.prepare(cut.spec, cut.rows) };
}

function callOf({ dtype }: BenchRequest, { batch, length }: BenchShape, { input, pre, post }: Signals, output: SampleArray, threads: number): ConvolutionCall | HalfConvolutionCall {
  return { input, output, preGate: pre, postGate: post, batch, length, threads, sampleType: dtype } as ConvolutionCall | HalfConvolutionCall;
}

const named = (name: string, milliseconds: number | undefined): Record<string, number> => (milliseconds === undefined ? {} : { [name]: milliseconds });
