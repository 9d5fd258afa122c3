import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { readFailure } from '../formats/read-failure';
import type { ShardedFile } from '../formats/safetensors/sharded';
import type { TensorEntry } from '../formats/safetensors/write';
import { copiedTensor, writeSafetensors } from '../formats/safetensors/write';
import type { TensorFile } from '../formats/tensor-file';
import { writeFileAtomically } from '../io/atomic-file';
import { copyFileAtomically } from '../io/copy-file';
import type { Changes } from './safetensors-changes';

/** Copies the index and all files of a model in several files, byte for byte. Returns the SHA-256 of each by its name in the source, the index first. */
export async function copyShards(source: ShardedFile, index: string): Promise<ReadonlyMap<string, string>> {
  const hashes = new Map([[path.basename(source.path), '']]);
  for (const [name, { path: file }] of [...source.shards].sort(([a], [b]) => (a < b ? -1 : 1))) {
    hashes.set(name, await copyFileAtomically(file, path.join(path.dirname(index), name)));
  }
  return hashes.set(path.basename(source.path), await copyFileAtomically(source.path, index));
}

/**
 * Writes a changed model in several files: those that hold a changed tensor are rewritten, the others copied. New tensors, and the metadata
 * that tell of the surgery, go to the file that lost the first tensor to it, or else to the first. The index is copied where no tensor came or went.
 */
export async function writeShards(source: ShardedFile, changes: Changes, index: string): Promise<void> {
  const { dropped, replaced, added } = changes;
  const firstChanged = [...dropped, ...replaced.keys()][0];
  const [firstShard] = source.shards.values();
  const home = (firstChanged === undefined ? undefined : source.shardOf.get(firstChanged)) ?? firstShard;
  const touched = new Set<TensorFile>([home]);
  for (const name of [...dropped, ...replaced.keys()]) {
    touched.add(source.shardOf.get(name) ?? home);
  }
  for (const [name, shard] of source.shards) {
    const target = path.join(path.dirname(index), name);
    if (touched.has(shard)) {
      await writeShard(source, shard, changes, target, shard === home);
    } else {
      await copyFileAtomically(shard.path, target);
    }
  }
  if (dropped.size === 0 && added.length === 0) {
    await copyFileAtomically(source.path, index);
  } else {
    await writeFileAtomically(index, await newIndex(source, changes, home));
  }
}

async function writeShard(source: ShardedFile, shard: TensorFile, { dropped, replaced, added, metadata }: Changes, target: string, isHome: boolean): Promise<void> {
  const listedElsewhere = (name: string): boolean => source.tensors.has(name) && source.shardOf.get(name) !== shard;
  const kept = [...shard.tensors.keys()].filter((name) => !dropped.has(name) && !listedElsewhere(name));
  const entries: TensorEntry[] = kept.map((name) => replaced.get(name) ?? copiedTensor(shard, name));
  await writeSafetensors(target, isHome ? [...entries, ...added] : entries, {
    metadata: isHome ? new Map([...shard.metadata, ...metadata]) : shard.metadata, keepOrder: true,
  });
}

/** The index with the tensors that came and went, its other entries kept. */
async function newIndex(source: ShardedFile, { dropped, added }: Changes, home: TensorFile): Promise<string> {
  const text = await fs.readFile(source.path, 'utf8').catch((cause: unknown) => { throw readFailure(source.path, cause); });
  const { metadata, ...rest } = JSON.parse(text) as { metadata?: object; weight_map: unknown };
  const nameOf = new Map([...source.shards].map(([name, shard]) => [shard, name]));
  const kept = [...source.tensors.values()].filter(({ name }) => !dropped.has(name));
  const size = (bytes: number, { byteLength }: { byteLength: number }): number => bytes + byteLength;
  const total = kept.reduce(size, added.reduce((sum, { data }) => sum + (data instanceof Uint8Array ? data.byteLength : 0), 0));
  const weightMap = [...kept.map(({ name }) => [name, nameOf.get(source.shardOf.get(name) ?? home)]), ...added.map(({ name }) => [name, nameOf.get(home)])];
  return `${JSON.stringify({ ...rest, metadata: { ...metadata, total_size: total }, weight_map: Object.fromEntries(weightMap) as unknown }, undefined, 2)}\n`;
}
