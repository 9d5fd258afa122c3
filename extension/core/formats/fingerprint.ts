import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { readFailure } from './read-failure';
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
  const lines: string[] = [];
  for (const name of [basename(path), ...shards]) {
    lines.push(`${await sha256(join(dirname(path), name))}  ${name}\n`);
  }
  return `sha256:${createHash('sha256').update(lines.join('')).digest('hex')}`;
}

/** Hexadecimal SHA-256 of one file. */
export async function sha256(path: string): Promise<string> {
  const hash = createHash('sha256');
  try {
    await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash);
  } catch (cause) {
    throw readFailure(path, cause);
  }
  return hash.digest('hex');
}
