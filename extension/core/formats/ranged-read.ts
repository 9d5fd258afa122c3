import type * as fs from 'node:fs/promises';
import { UserError } from '../errors';
import { readFailure } from './read-failure';

/** Largest single read of the operating system call behind FileHandle.read. */
const LARGEST_READ = 1 << 30;

/** Fills `target` with the bytes of an open file from `position` on. Throws UserError when the file has become shorter. */
export async function readAt(handle: fs.FileHandle, file: string, target: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < target.length;) {
    const length = Math.min(LARGEST_READ, target.length - done);
    const { bytesRead } = await handle.read(target, done, length, position + done).catch((cause: unknown) => { throw readFailure(file, cause); });
    if (bytesRead === 0) {
      throw new UserError(`Cannot read ${file}: it ended at byte ${position + done} while it was open, so another program has changed it.`, 'Open the file again.');
    }
    done += bytesRead;
  }
}
