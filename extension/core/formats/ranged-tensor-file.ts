import { UserError } from '../errors';
import { bitsOf, elementCount, isFloatDType } from './dtype';
import { widenBfloat16, widenFloat16 } from './float16';
import { quoted } from './quoted';
import type { TensorFile, TensorInfo } from './tensor-file';

/** Elements that are converted at a time where the dtype is not F32. */
const CONVERTED_AT_ONCE = 1 << 20;

/** A TensorFile over anything that can fill a buffer with a range of a tensor's bytes. */
export abstract class RangedTensorFile<Stored extends TensorInfo> implements TensorFile {
  abstract readonly notes: readonly string[];
  abstract readonly files: readonly string[];
  abstract readonly format: 'safetensors' | 'pytorch';

  constructor(readonly path: string, readonly tensors: ReadonlyMap<string, Stored>, readonly metadata: ReadonlyMap<string, string>) {}

  abstract close(): Promise<void>;

  /** Fills `target` with the tensor's little-endian, row-major bytes from byte `from` on; the range lies inside the tensor. */
  protected abstract fill(tensor: Stored, target: Uint8Array, from: number): Promise<void>;

  async readBytes(name: string, begin?: number, end?: number, into?: Uint8Array): Promise<Uint8Array> {
    const tensor = this.tensor(name);
    const [from, to] = range(name, begin, end, tensor.byteLength);
    const bytes = into?.subarray(0, to - from) ?? new Uint8Array(to - from);
    await this.fill(tensor, bytes, from);
    return bytes;
  }

  async readFloat32(name: string, begin?: number, end?: number): Promise<Float32Array> {
    const tensor = this.tensor(name);
    const { dtype } = tensor;
    if (!isFloatDType(dtype)) {
      throw new UserError(`Tensor ${quoted(name)} of ${this.path} holds ${dtype} values where floating-point numbers are needed.`);
    }
    const [from, to] = range(name, begin, end, elementCount(tensor.shape));
    const result = new Float32Array(to - from);
    const width = bitsOf(dtype) / 8;
    if (dtype === 'F32') {
      await this.fill(tensor, new Uint8Array(result.buffer), from * width);
      return result;
    }
    // A buffer of its own, so that it is aligned for any element size.
    const chunk = new Uint8Array(Math.min(result.length, CONVERTED_AT_ONCE) * width);
    for (let done = 0; done < result.length; done += CONVERTED_AT_ONCE) {
      const count = Math.min(CONVERTED_AT_ONCE, result.length - done);
      await this.fill(tensor, chunk.subarray(0, count * width), (from + done) * width);
      if (dtype === 'F64') {
        result.set(new Float64Array(chunk.buffer, 0, count), done);
      } else {
        const widen = dtype === 'F16' ? widenFloat16 : widenBfloat16;
        widen(new Uint16Array(chunk.buffer, 0, count), result, done);
      }
    }
    return result;
  }

  protected tensor(name: string): Stored {
    const tensor = this.tensors.get(name);
    if (!tensor) {
      throw new UserError(`${this.path} has no tensor named ${quoted(name)}.`);
    }
    return tensor;
  }
}

function range(name: string, begin: number | undefined, end: number | undefined, size: number): [number, number] {
  const from = begin ?? 0;
  const to = end ?? size;
  if (!(Number.isInteger(from) && Number.isInteger(to) && from >= 0 && from <= to && to <= size)) {
    throw new RangeError(`range [${from}, ${to}) is outside tensor ${quoted(name)} of ${size}`);
  }
  return [from, to];
}
