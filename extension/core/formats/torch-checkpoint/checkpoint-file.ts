import type * as fs from 'node:fs/promises';
import { elementCount } from '../dtype';
import { RangedTensorFile } from '../ranged-tensor-file';
import { readAt } from '../ranged-read';
import type { DType, TensorInfo } from '../tensor-file';
import { gather, isContiguous } from './strided';
import type { StateDict } from './state-dict';
import type { Storage, TorchTensor } from './values';

/** Offset in the file of a storage's first byte. */
export type StoragePosition = (storage: Storage) => Promise<number>;

interface CheckpointTensor extends TensorInfo { readonly view: TorchTensor; readonly contiguous: boolean }

/** The weights of an open PyTorch checkpoint. It owns the file handle. */
export class CheckpointFile extends RangedTensorFile<CheckpointTensor> {
  readonly notes: readonly string[];
  readonly files: readonly string[];
  readonly format = 'pytorch';

  constructor(path: string, private readonly handle: fs.FileHandle, private readonly positionOf: StoragePosition, { tensors, notes }: StateDict) {
    // As the official library marks what it saves from PyTorch, so that an export is taken for what it is.
    super(path, describe(tensors), new Map([['format', 'pt']]));
    this.notes = [...notes, ...tiedNotes(this.tensors)];
    this.files = [path];
  }

  protected async fill({ view, contiguous }: CheckpointTensor, target: Uint8Array, from: number): Promise<void> {
    if (target.length === 0) {
      return;
    }
    const start = await this.positionOf(view.storage);
    const { bytes } = view.dtype;
    if (contiguous) {
      return readAt(this.handle, this.path, target, start + view.offset * bytes + from);
    }
    return gather({ shape: view.shape, strides: view.strides, offset: view.offset, elementBytes: bytes }, target, from,
      (piece, position) => readAt(this.handle, this.path, piece, start + position));
  }

  async close(): Promise<void> {
    await this.handle.close();
  }
}

function describe(tensors: ReadonlyMap<string, TorchTensor>): Map<string, CheckpointTensor> {
  const described = new Map<string, CheckpointTensor>();
  const known = new Map<string, string>();
  for (const [name, view] of tensors) {
    const { storage, dtype, offset, shape, strides } = view;
    const identity = JSON.stringify([storage.key, dtype.name, offset, shape, strides]);
    const sameAs = elementCount(shape) > 0 ? known.get(identity) : undefined;
    if (sameAs === undefined) {
      known.set(identity, name);
    }
    described.set(name, {
      // findStateDict has refused dtypes that safetensors does not have.
      name, dtype: dtype.dtype as DType, shape, byteLength: elementCount(shape) * dtype.bytes, view, contiguous: isContiguous(view), ...(sameAs !== undefined && { sameAs }),
    });
  }
  return described;
}

function tiedNotes(tensors: ReadonlyMap<string, TensorInfo>): string[] {
  const tied = [...tensors.values()].filter(({ sameAs }) => sameAs !== undefined);
  if (tied.length === 0) {
    return [];
  }
  const [{ name, sameAs }] = tied;
  const more = tied.length === 1 ? '' : ` and ${tied.length - 1} more`;
  return [`The checkpoint has tied weights, one piece of memory under several names: ${name} is ${sameAs}${more}. An export holds a copy under each name.`];
}
