import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import * as fs from 'node:fs/promises';
import { UserError } from '../errors';
import { readAt } from '../formats/ranged-read';
import { readFailure } from '../formats/read-failure';
import { replaceAtomically, writeFailure } from './atomic-file';

/** Bytes read and hashed at a time: what fits into a processor's cache. */
const PIECE = 1 << 20;

/**
 * Copies a file byte for byte in constant memory (see writeAtomically) and re-reads the copy before it is in its place. Returns the hexadecimal
 * SHA-256 of both. Throws UserError where the source cannot be read, the target not be written, or the copy differs.
 */
export async function copyFileAtomically(source: string, target: string, onBytes?: (done: number, of: number) => void): Promise<string> {
  const { mode } = await fs.stat(source).catch((cause: unknown) => { throw readFailure(source, cause); });
  let hash = '';
  await replaceAtomically(target, async (temporary) => {
    const failed = (cause: unknown): never => { throw writeFailure(target, cause); };
    // The system copies faster than bytes go through this process, and what it reads is in memory for the hash.
    const copying = fs.copyFile(source, temporary, constants.COPYFILE_EXCL).catch(failed);
    const hashing = sha256(source, onBytes);
    await Promise.allSettled([copying, hashing]);
    hash = await hashing;
    await copying;
    // A copy of a file that nobody may write is the user's own.
    await fs.chmod(temporary, mode | 0o200).catch(failed);
    const handle = await fs.open(temporary, 'r+').catch(failed);
    try {
      const syncing = handle.sync().catch(failed);
      const again = sha256(temporary);
      await Promise.allSettled([syncing, again]);
      await syncing;
      if (await again !== hash) throw new UserError(`The copy ${target} differs from ${source}, so it was not kept.`, 'Try again; if it happens again, the disk may be failing.');
    } finally {
      await handle.close();
    }
  });
  return hash;
}

/** Hexadecimal SHA-256 of a file, in constant memory. Throws UserError where it cannot be read. */
export async function sha256(file: string, onBytes?: (done: number, of: number) => void): Promise<string> {
  const handle = await fs.open(file, 'r').catch((cause: unknown) => { throw readFailure(file, cause); });
  try {
    const hash = createHash('sha256');
    const { size } = await handle.stat();
    await forEachPiece(handle, file, size, (piece, done) => {
      hash.update(piece);
      onBytes?.(done, size);
    });
    return hash.digest('hex');
  } finally {
    await handle.close();
  }
}

/** The file's pieces in order; the next one is read while one is used. */
async function forEachPiece(handle: fs.FileHandle, file: string, size: number, use: (piece: Uint8Array, done: number) => void): Promise<void> {
  const buffers = [0, 1].map(() => Buffer.allocUnsafeSlow(Math.min(size, PIECE)));
  const read = async (at: number): Promise<Uint8Array> => {
    const piece = buffers[(at / PIECE) % 2].subarray(0, Math.max(0, Math.min(PIECE, size - at)));
    await readAt(handle, file, piece, at);
    return piece;
  };
  let next = read(0);
  for (let at = 0; at < size; at += PIECE) {
    const piece = await next;
    next = read(at + PIECE);
    // Where using the piece fails, nobody waits for the next one any more.
    next.catch(() => undefined);
    use(piece, at + piece.length);
  }
  await next;
}
