import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { UserError } from '../errors';
import { begun, ended } from './unfinished';

/** Receives a file's content, front to back; or, with `place`, piece by piece anywhere in the file. */
export interface FileSink {
  write(bytes: Uint8Array): Promise<void>;
  place(bytes: Uint8Array, position: number): Promise<void>;
}

/** Bytes that wait in memory for the disk before it is told to take them. */
const FLUSHED_AT_ONCE = 256 << 20;

/**
 * Writes a file so that `target` holds either what it held before or all of the new content, never a part: a temporary file in the
 * same folder, synced, then renamed over the target. `produce` writes the content; when it throws, or `signal` aborts, the
 * temporary file is removed and the target left as it was. A symbolic link is followed, so the link itself stays.
 * Throws UserError where the folder is missing, not writable or full.
 */
export async function writeAtomically(target: string, produce: (sink: FileSink) => Promise<void>, signal?: AbortSignal): Promise<void> {
  await replaceAtomically(target, async (temporary) => {
    const handle = await fs.open(temporary, 'wx').catch((cause: unknown) => { throw writeFailure(target, cause); });
    /** Of what was written so far, onto the disk: it goes on while more is produced, so that the last sync is short. */
    let flushing: Promise<void> = Promise.resolve();
    let unflushed = 0;
    const put = async (bytes: Uint8Array, position?: number): Promise<void> => {
      signal?.throwIfAborted();
      await writeAll(handle, bytes, position).catch((cause: unknown) => { throw writeFailure(target, cause); });
      unflushed += bytes.length;
      if (unflushed < FLUSHED_AT_ONCE) return;
      unflushed = 0;
      await flushing;
      flushing = handle.datasync().catch((cause: unknown) => { throw writeFailure(target, cause); });
      // A failure is thrown by the next wait, not as an unhandled rejection.
      flushing.catch(() => undefined);
    };
    try {
      await produce({ write: (bytes) => put(bytes), place: put });
      signal?.throwIfAborted();
      await flushing;
      await handle.sync().catch((cause: unknown) => { throw writeFailure(target, cause); });
    } finally {
      await flushing.catch(() => undefined);
      await handle.close();
    }
  }, signal);
}

/** writeAtomically for who makes the temporary file, and syncs it, by himself: `make` is told its path. */
export async function replaceAtomically(target: string, make: (temporary: string) => Promise<void>, signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted();
  const destination = await followLink(target);
  const folder = path.dirname(destination);
  const temporary = begun(path.join(folder, `.${path.basename(destination)}.${process.pid}-${randomBytes(6).toString('hex')}.tmp`));
  try {
    await make(temporary);
    await fs.rename(temporary, destination).catch((cause: unknown) => { throw writeFailure(target, cause); });
    ended(temporary);
  } catch (cause) {
    await removeLeftover(temporary);
    throw cause;
  }
  await syncFolder(folder);
}

/** Removes what a failed job left. That it cannot be removed must not hide why the job failed. */
export async function removeLeftover(file: string): Promise<void> {
  await fs.rm(file, { recursive: true, force: true }).catch(() => undefined);
  ended(file);
}

/** Moves a finished file to its name. Throws as writing it would. */
export async function moveInto(from: string, to: string): Promise<void> {
  await fs.rename(from, to).catch((cause: unknown) => { throw writeFailure(to, cause); });
  ended(from);
}

/** writeAtomically for content that is already in memory. */
export async function writeFileAtomically(target: string, content: string | Uint8Array, signal?: AbortSignal): Promise<void> {
  const bytes = typeof content === 'string' ? Buffer.from(content, 'utf8') : content;
  await writeAtomically(target, (sink) => sink.write(bytes), signal);
}

/** `position`: where in the file; where it stands by default. */
async function writeAll(handle: fs.FileHandle, bytes: Uint8Array, position?: number): Promise<void> {
  const largestWrite = 1 << 30;
  for (let done = 0; done < bytes.length;) {
    const { bytesWritten } = await handle.write(bytes, done, Math.min(bytes.length - done, largestWrite), position === undefined ? null : position + done);
    done += bytesWritten;
  }
}

async function followLink(target: string): Promise<string> {
  try {
    return await fs.realpath(target);
  } catch {
    return path.resolve(target);
  }
}

/** Makes the rename itself durable. Windows and some network file systems cannot sync a folder; there the rename stands without it. */
async function syncFolder(folder: string): Promise<void> {
  try {
    const handle = await fs.open(folder, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch {
    return;
  }
}

const WRITE_FAILURES: Readonly<Record<string, readonly [why: string, hint: string]>> = {
  ENOENT: ['its folder does not exist', 'Create the folder or choose another.'],
  ENOTDIR: ['its folder is a file', 'Choose another folder.'],
  EISDIR: ['it is a folder', 'Give a file name.'],
  EACCES: ['permission is denied', 'Choose a folder that you may write to.'],
  EPERM: ['permission is denied', 'Choose a folder that you may write to.'],
  EROFS: ['the file system is read-only', 'Choose a folder that you may write to.'],
  ENOSPC: ['the disk is full', 'Free some space or choose another disk.'],
  EDQUOT: ['the disk quota is used up', 'Free some space or choose another disk.'],
  EFBIG: ['the file system does not take files of this size', 'Choose another disk.'],
  ENAMETOOLONG: ['its name is too long', 'Choose a shorter name.'],
};

/** A failed file operation as a UserError where the user can do something about it; anything else as it is. */
export function writeFailure(target: string, cause: unknown): unknown {
  const code = cause instanceof Error ? (cause as NodeJS.ErrnoException).code : undefined;
  const known = code === undefined ? undefined : WRITE_FAILURES[code];
  return known ? new UserError(`Cannot write ${target}: ${known[0]}.`, known[1]) : cause;
}
