import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { UserError } from '../../errors';
import { quoted } from '../quoted';
import type { TensorFile, TensorInfo } from '../tensor-file';
import { readShardIndex } from './shard-index';

/** A model in several files, as one TensorFile. */
export interface ShardedFile extends TensorFile {
  /** By tensor name: which of the files holds it. */
  readonly shardOf: ReadonlyMap<string, TensorFile>;
  /** By file name, in alphabetical order. */
  readonly shards: ReadonlyMap<string, TensorFile>;
}

export const isSharded = (file: TensorFile): file is ShardedFile => 'shardOf' in file;

/**
 * Opens the model of an index: the headers of all its files are read, tensor data stay on disk. Tensors come in the order of the index;
 * the metadata are those of the files, of the first one where several have an entry. Throws UserError where a file or a tensor that the
 * index names is missing. `openShard` opens one file.
 */
export async function openSharded(index: string, openShard: (file: string) => Promise<TensorFile>): Promise<ShardedFile> {
  const { weightMap, shards } = await readShardIndex(index);
  const folder = path.dirname(index);
  await refuseMissing(index, folder, shards);
  const opened = new Map<string, TensorFile>();
  try {
    for (const shard of shards) {
      opened.set(shard, await openShard(path.join(folder, shard)));
    }
    return new Shards(index, weightMap, opened);
  } catch (cause) {
    await closeAll(opened.values());
    throw cause;
  }
}

async function refuseMissing(index: string, folder: string, shards: readonly string[]): Promise<void> {
  const present = new Set(await fs.readdir(folder));
  const missing = shards.filter((shard) => !present.has(shard));
  if (missing.length > 0) {
    throw new UserError(
      `Cannot read ${index}: ${missing.length} of the ${shards.length} files that it names ${missing.length === 1 ? 'is' : 'are'} missing, such as ${quoted(missing[0])}.`,
      'Download the missing files into the same folder.');
  }
}

class Shards implements ShardedFile {
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  readonly metadata: ReadonlyMap<string, string>;
  readonly notes: readonly string[];
  readonly files: readonly string[];
  readonly format: 'safetensors' | 'pytorch';
  readonly shardOf: ReadonlyMap<string, TensorFile>;

  constructor(readonly path: string, weightMap: ReadonlyMap<string, string>, readonly shards: ReadonlyMap<string, TensorFile>) {
    const tensors = new Map<string, TensorInfo>();
    const shardOf = new Map<string, TensorFile>();
    for (const [name, shard] of weightMap) {
      const file = shards.get(shard);
      const info = file?.tensors.get(name);
      if (!file || !info) {
        throw new UserError(`Cannot read ${path}: it places tensor ${quoted(name)} in ${quoted(shard)}, which does not have it.`, 'Download the model again: its files belong to different versions.');
      }
      tensors.set(name, info);
      shardOf.set(name, file);
    }
    this.tensors = tensors;
    this.shardOf = shardOf;
    this.metadata = new Map([...shards.values()].reverse().flatMap((file) => [...file.metadata]));
    this.format = [...shards.values()].every((file) => file.format === 'safetensors') ? 'safetensors' : 'pytorch';
    this.files = [path, ...[...shards.values()].map((file) => file.path)];
    const unlisted = [...shards].flatMap(([shard, file]) => [...file.tensors.keys()].filter((name) => weightMap.get(name) !== shard));
    this.notes = [
      ...new Set([...shards.values()].flatMap((file) => file.notes ?? [])),
      ...unlisted.length > 0 ? [`The files have ${unlisted.length} tensors that the index does not place there, such as ${quoted(unlisted[0])}: they are not read.`] : [],
    ];
  }

  async readBytes(name: string, begin?: number, end?: number, into?: Uint8Array): Promise<Uint8Array> {
    return this.shard(name).readBytes(name, begin, end, into);
  }

  async readFloat32(name: string, begin?: number, end?: number): Promise<Float32Array> {
    return this.shard(name).readFloat32(name, begin, end);
  }

  async close(): Promise<void> {
    await closeAll(this.shards.values());
  }

  private shard(name: string): TensorFile {
    const shard = this.shardOf.get(name);
    if (!shard) {
      throw new UserError(`${this.path} has no tensor named ${quoted(name)}.`);
    }
    return shard;
  }
}

async function closeAll(files: Iterable<TensorFile>): Promise<void> {
  await Promise.all([...files].map((file) => file.close()));
}
