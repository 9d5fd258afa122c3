import * as fs from 'node:fs/promises';
import { UserError } from '../errors';
import { LOOK_BYTES } from './looks-like';
import { readFailure } from './read-failure';

/** The first bytes of a file, as many as looksLike wants. Refuses folders, and pipes and devices, whose reading could block. */
export async function firstBytes(path: string): Promise<Uint8Array> {
  try {
    const stat = await fs.stat(path);
    if (!stat.isFile()) {
      throw new UserError(`Cannot read ${path}: it is ${stat.isDirectory() ? 'a folder' : 'not a regular file'}.`, 'Give a file.');
    }
    const handle = await fs.open(path, 'r');
    try {
      const bytes = new Uint8Array(LOOK_BYTES);
      const { bytesRead } = await handle.read(bytes, 0, LOOK_BYTES, 0);
      return bytes.subarray(0, bytesRead);
    } finally {
      await handle.close();
    }
  } catch (cause) {
    throw readFailure(path, cause);
  }
}
