import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { UserError } from '../../errors';
import { firstBytes } from '../first-bytes';
import { looksLike } from '../looks-like';
import { RangedTensorFile } from '../ranged-tensor-file';
import { readAt } from '../ranged-read';
import { readFailure } from '../read-failure';
import type { TensorFile } from '../tensor-file';
import type { Header, StoredTensor } from './header';
import { LARGEST_HEADER, LENGTH_BYTES, parseHeader } from './header';
import type { Refuse } from './refusal';
import { SafetensorsError } from './refusal';


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

class SafetensorsFile extends RangedTensorFile<StoredTensor> {
  readonly notes: readonly string[] = [];
  readonly format = 'safetensors';
  readonly files: readonly string[];

  constructor(path: string, private readonly handle: fs.FileHandle, header: Header) {
    super(path, header.tensors, header.metadata);
    this.files = [path];
  }

  protected fill(tensor: StoredTensor, target: Uint8Array, from: number): Promise<void> {
    return readAt(this.handle, this.path, target, tensor.position + from);
  }

  async close(): Promise<void> {
    await this.handle.close();
  }
}
