import type { ReportProgress } from '../../core/protocol/rpc';
import { runBench } from '../../core/validation/bench/bench';
import type { BenchRequest, BenchResult } from '../../core/validation/bench/request';
import { chooseDevice } from '../devices';
import { fftwMs } from '../fftw';
import { host } from '../host';
import { OnnxSessions } from '../onnx-sessions';

/** Measures the convolution kernels on noise; see core/validation/bench. */
export async function bench(request: BenchRequest, progress: ReportProgress): Promise<BenchResult[]> {
  const { engine } = host();
  const { info: { threads }, gpu } = chooseDevice(engine, request.backend, request.threads);
  return runBench(request, { engine, gpu: gpu?.gpu, sessions: new OnnxSessions({ threads }), threads, fftw: fftwMs }, progress);
}
