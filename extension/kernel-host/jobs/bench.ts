import { UserError } from '../../core/errors';
import type { ReportProgress } from '../../core/protocol/rpc';
import { runBench } from '../../core/validation/bench/bench';
import type { BenchRequest, BenchResult } from '../../core/validation/bench/request';
import { fftwMs } from '../fftw';
import { host } from '../host';
import { OnnxSessions } from '../onnx-sessions';

/** Measures the convolution kernels on noise; see core/validation/bench. */
export async function bench(request: BenchRequest, progress: ReportProgress): Promise<BenchResult[]> {
  const { engine } = host();
  const { cpu, cuda } = engine.devices();
  if (request.backend === 'cuda') {
    const why = cuda.usable ? 'this command measures the CPU kernels' : cuda.reason;
    throw new UserError(`The CUDA kernels cannot be measured here: ${why}`, 'Use --backend cpu.');
  }
  const threads = request.threads ?? cpu.threads;
  if (threads > 4 * cpu.threads) throw new UserError(`${threads} threads were asked for on a machine that runs ${cpu.threads}.`, `Ask for at most ${4 * cpu.threads}.`);
  return runBench(request, { engine, sessions: new OnnxSessions({ threads }), threads, fftw: fftwMs }, progress);
}
