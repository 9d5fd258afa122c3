import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { UserError } from '../../errors';
import { bitsOf, elementCount, isFloatDType } from '../dtype';
import { widenBfloat16, widenFloat16 } from '../float16';
import { firstBytes } from '../first-bytes';
import { looksLike } from '../looks-like';
import { readFailure } from '../read-failure';
import type { TensorFile, TensorInfo } from '../tensor-file';
import type { Header, StoredTensor } from './header';
import { LARGEST_HEADER, LENGTH_BYTES, parseHeader } from './header';
import type { Refuse } from './refusal';
import { quoted, SafetensorsError } from './refusal';

/** Largest single read of the operating system call behind FileHandle.read. */
const LARGEST_READ = 1 << 30;
/** Elements that are converted at a time where the dtype is not F32. */
const CONVERTED_AT_ONCE = 1 << 20;

/**
 * Opens a safetensors file of any size: reads and checks its header, and leaves tensor data on disk until asked for.
 * Throws UserError with the byte offset and the broken rule, or with what the file looks like instead.
 */
export async function openSafetensors(file: string): Promise<TensorFile> {
  const absolute = path.resolve(file);
  const head = await firstBytes(absolute);
  const handle = await fs.open(absolute, 'r').catch((cause: unknown) => { throw readFailure(absolute, cause); });
  try {
    return new SafetensorsFile(absolute, handle, await readHeader(absolute, handle, head));
  } catch (cause) {
    await handle.close();
    throw cause;
  }
}

async function readHeader(file: string, handle: fs.FileHandle, head: Uint8Array): Promise<Header> {
  const fileSize = (await handle.stat()).size;
  const refuse: Refuse = (rule, offset, reason, hint) => {
    throw new SafetensorsError(file, rule, offset, reason, hint);
  };
  refuseOtherContent(file, head);
  if (fileSize < LENGTH_BYTES) {
    refuse('HeaderTooSmall', fileSize, `the file ends before the ${LENGTH_BYTES} bytes that give the header's length`);
  }
  const length = new DataView(head.buffer, head.byteOffset).getBigUint64(0, true);
  if (length > LARGEST_HEADER) {
    refuse('HeaderTooLarge', 0, `the header's length is given as ${length} bytes, more than the limit of ${LARGEST_HEADER}`);
  }
  if (LENGTH_BYTES + Number(length) > fileSize) {
    refuse('InvalidHeaderLength', 0, `the header's length is given as ${length} bytes, but the file has only ${fileSize - LENGTH_BYTES} after it: it is truncated`,
      'Download or copy the file again.');
  }
  const bytes = Buffer.allocUnsafeSlow(Number(length));
  await readAt(handle, file, bytes, LENGTH_BYTES);
  return parseHeader(bytes, fileSize, refuse);
}

function refuseOtherContent(file: string, head: Uint8Array): void {
  const guess = looksLike(head, file);
  if (guess?.kind === 'empty') {
    throw new SafetensorsError(file, 'HeaderTooSmall', 0, 'the file is empty');
  }
  if (guess) {
    throw new UserError(`${file} is not a safetensors file: it looks like ${guess.description}.`, 'Choose a .safetensors model file.');
  }
}

/** Fills `target` from `position` on; refuses when the file has become shorter. */
async function readAt(handle: fs.FileHandle, file: string, target: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < target.length;) {
    const length = Math.min(LARGEST_READ, target.length - done);
    const { bytesRead } = await handle.read(target, done, length, position + done).catch((cause: unknown) => { throw readFailure(file, cause); });
    if (bytesRead === 0) {
      throw new UserError(`Cannot read ${file}: it ended at byte ${position + done} while it was open, so another program has changed it.`, 'Open the file again.');
    }
    done += bytesRead;
  }
}

class SafetensorsFile implements TensorFile {
  readonly metadata: ReadonlyMap<string, string>;
  private readonly stored: ReadonlyMap<string, StoredTensor>;

  constructor(readonly path: string, private readonly handle: fs.FileHandle, header: Header) {
    this.stored = header.tensors;
    this.metadata = header.metadata;
  }

  get tensors(): ReadonlyMap<string, TensorInfo> {
    return this.stored;
  }

  async readBytes(name: string, begin?: number, end?: number): Promise<Uint8Array> {
    const tensor = this.tensor(name);
    const [from, to] = range(name, begin, end, tensor.byteLength);
    const bytes = new Uint8Array(to - from);
    await readAt(this.handle, this.path, bytes, tensor.position + from);
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
      await readAt(this.handle, this.path, new Uint8Array(result.buffer), tensor.position + from * width);
      return result;
    }
    // A buffer of its own, so that it is aligned for any element size.
    const chunk = new Uint8Array(Math.min(result.length, CONVERTED_AT_ONCE) * width);
    for (let done = 0; done < result.length; done += CONVERTED_AT_ONCE) {
      const count = Math.min(CONVERTED_AT_ONCE, result.length - done);
      await readAt(this.handle, this.path, chunk.subarray(0, count * width), tensor.position + (from + done) * width);
      if (dtype === 'F64') {
        result.set(new Float64Array(chunk.buffer, 0, count), done);
      } else {
        const widen = dtype === 'F16' ? widenFloat16 : widenBfloat16;
        widen(new Uint16Array(chunk.buffer, 0, count), result, done);
      }
    }
    return result;
  }

  async close(): Promise<void> {
    await this.handle.close();
  }

  private tensor(name: string): StoredTensor {
    const tensor = this.stored.get(name);
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
