import { createRequire } from 'node:module';
import type * as Ort from 'onnxruntime-node';
import type { DenseData, DenseOutput, DenseSession, DenseSessionOptions, DenseSessions, DenseTensor, DenseType } from '../core/graph/dense-sessions';
import { UserError } from '../core/errors';

export interface OnnxSessionOptions {
  /** Threads inside one operator; default: ONNX Runtime's own choice, the number of cores. */
  readonly threads?: number;
}

/**
 * ONNX Runtime as the place where dense pieces run. Loaded on the first call only: it takes 50 ms and 30 MB, and a process can hold
 * just one version of it, so it must never be loaded inside the editor's own process.
 * `create` throws UserError when the runtime cannot be loaded or refuses the model.
 */
export class OnnxSessions implements DenseSessions {
  constructor(private readonly options: OnnxSessionOptions = {}) {}

  create(model: Uint8Array, { asIs }: DenseSessionOptions = {}): Promise<DenseSession> {
    return this.load(model, asIs ?? false);
  }

  createFromFile(path: string): Promise<DenseSession> {
    return this.load(path, false);
  }

  private async load(model: Uint8Array | string, asIs: boolean): Promise<DenseSession> {
    const ort = loadRuntime();
    try {
      // Severity 4: failures come back as exceptions, so they are not also printed.
      const session = await ort.InferenceSession.create(model as Uint8Array, {
        executionProviders: ['cpu'], intraOpNumThreads: this.options.threads ?? 0, interOpNumThreads: 1, logSeverityLevel: 4,
        graphOptimizationLevel: asIs ? 'disabled' : 'all',
      });
      return new OnnxSession(ort, session);
    } catch (error) {
      throw new UserError(`ONNX Runtime does not take the model: ${messageOf(error)}`);
    }
  }
}

class OnnxSession implements DenseSession {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  readonly outputs: readonly DenseOutput[];

  constructor(private readonly ort: typeof Ort, private readonly session: Ort.InferenceSession) {
    this.inputNames = session.inputNames;
    this.outputNames = session.outputNames;
    this.outputs = session.outputMetadata.flatMap((value) => (value.isTensor ? [{ name: value.name, type: value.type, shape: value.shape }] : []));
  }

  async run(feeds: ReadonlyMap<string, DenseTensor>, wanted: readonly string[]): Promise<Map<string, DenseTensor>> {
    const tensors: Record<string, Ort.Tensor> = {};
    for (const [name, { type, data, dims }] of feeds) tensors[name] = new this.ort.Tensor(type, data as Float32Array, dims) as Ort.Tensor;
    const results = await this.session.run(tensors, wanted).catch((error: unknown) => {
      throw new UserError(`ONNX Runtime could not run the model: ${messageOf(error)}`);
    });
    return new Map(wanted.map((name) => [name, fromRuntime(name, results[name])]));
  }

  async dispose(): Promise<void> {
    await this.session.release();
  }
}

const TYPES: readonly string[] = [
  'float32', 'float64', 'float16', 'int64', 'int32', 'int16', 'int8', 'uint64', 'uint32', 'uint16', 'uint8', 'bool',
] satisfies readonly DenseType[];

function fromRuntime(name: string, { type, data, dims }: Ort.Tensor): DenseTensor {
  if (!TYPES.includes(type)) throw new UserError(`The value "${name}" of the model has type ${type}, which is not supported here.`);
  // Newer Node versions have a Float16Array, older ones get bit patterns.
  const values = type === 'float16' && !(data instanceof Uint16Array) ? float16Bits(data as unknown as ArrayBufferView) : (data as DenseData);
  return { type: type as DenseType, data: values, dims };
}

const float16Bits = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint16Array => new Uint16Array(buffer, byteOffset, byteLength / 2);

function loadRuntime(): typeof Ort {
  try {
    return createRequire(__filename)('onnxruntime-node') as typeof Ort;
  } catch (error) {
    throw new UserError(
      `ONNX Runtime, which runs the parts of the model between its long convolutions, cannot be loaded: ${messageOf(error)}`,
      `It is available for Linux (glibc 2.28 or later), Windows, and macOS on Apple silicon; this is ${process.platform}-${process.arch}.`,
    );
  }
}

/** On one line. */
function messageOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replace(/\s+/g, ' ').trim();
}
