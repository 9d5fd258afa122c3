import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { readFailure } from './read-failure';

/** `sha256:<hex>` of a whole file, read front to back in constant memory. Throws UserError when it cannot be read. */
export async function fingerprint(path: string): Promise<string> {
  const hash = createHash('sha256');
  try {
    await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash);
  } catch (cause) {
    throw readFailure(path, cause);
  }
  return `sha256:${hash.digest('hex')}`;
}
