import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { readFailure } from '../formats/read-failure';
import { writeFailure } from './atomic-file';

/**
 * Copies a file byte for byte, by the system (which shares the blocks where the disk can): under a temporary name, synced, then renamed.
 * Throws UserError where the source cannot be read or the target not be written.
 */
export async function copyFileAtomically(source: string, target: string): Promise<void> {
  await fs.access(source, fs.constants.R_OK).catch((cause: unknown) => { throw readFailure(source, cause); });
  const temporary = path.join(path.dirname(target), `.${path.basename(target)}.${process.pid}-${randomBytes(6).toString('hex')}.tmp`);
  try {
    await fs.copyFile(source, temporary, fs.constants.COPYFILE_FICLONE | fs.constants.COPYFILE_EXCL);
    // The copy has the source's permissions, which may be read-only; the export is a file of its own.
    await fs.chmod(temporary, 0o644);
    const handle = await fs.open(temporary, 'r+');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
    await fs.rename(temporary, target);
  } catch (cause) {
    await fs.rm(temporary, { force: true });
    throw writeFailure(target, cause);
  }
}
