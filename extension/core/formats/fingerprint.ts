import { createHash } from 'node:crypto';
import { basename, dirname, join } from 'node:path';
import { sha256 } from '../io/copy-file';
import { isShardIndex, readShardIndex } from './safetensors/shard-index';

/**
 * `sha256:<hex>` of a whole file, read front to back in constant memory. A model in several files is named by its index and has the
 * SHA-256 of what `sha256sum INDEX SHARD...` prints in the folder, shards in alphabetical order. Throws UserError when a file cannot be read.
 */
export async function fingerprint(path: string): Promise<string> {
  if (!isShardIndex(path)) {
    return `sha256:${await sha256(path)}`;
  }
  const { shards } = await readShardIndex(path);
  const hashes = new Map<string, string>();
  for (const name of [basename(path), ...shards]) hashes.set(name, await sha256(join(dirname(path), name)));
  return fingerprintOf(hashes);
}

/** The same from the SHA-256 of every file of a model, by name; the index of one in several files comes first. */
export function fingerprintOf(hashes: ReadonlyMap<string, string>): string {
  const [[, first]] = hashes;
  if (hashes.size === 1) return `sha256:${first}`;
  const lines = [...hashes].map(([name, hash]) => `${hash}  ${name}\n`);
  return `sha256:${createHash('sha256').update(lines.join('')).digest('hex')}`;
}
