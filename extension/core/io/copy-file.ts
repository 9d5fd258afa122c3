import { createHash } from 'node:crypto';
import * as fs from 'node:fs/promises';
import { readAt } from '../formats/ranged-read';
import { readFailure } from '../formats/read-failure';
import { writeAtomically } from './atomic-file';

/** Bytes read, hashed and written at a time. */
const PIECE = 4 << 20;

/**
 * Copies a file byte for byte in constant memory (see writeAtomically). Returns the hexadecimal SHA-256 of what was read and written, so that a
 * caller needs no pass of its own for it. Throws UserError where the source cannot be read or the target not be written.
 */
export async function copyFileAtomically(source: string, target: string, onBytes?: (done: number, of: number) => void): Promise<string> {
  const handle = await fs.open(source, 'r').catch((cause: unknown) => { throw readFailure(source, cause); });
  try {
    const { size } = await handle.stat();
    const hash = createHash('sha256');
    await writeAtomically(target, async (sink) => {
      let writing: Promise<void> = Promise.resolve();
      await forEachPiece(handle, source, size, async (piece, done) => {
        // Written on another thread while this one hashes and a third reads on.
        writing = sink.write(piece);
        writing.catch(() => undefined);
        hash.update(piece);
        await writing;
        onBytes?.(done, size);
      });
    });
    return hash.digest('hex');
  } finally {
    await handle.close();
  }
}

/** Hexadecimal SHA-256 of a file, in constant memory. Throws UserError where it cannot be read. */
export async function sha256(file: string): Promise<string> {
  const handle = await fs.open(file, 'r').catch((cause: unknown) => { throw readFailure(file, cause); });
  try {
    const hash = createHash('sha256');
    await forEachPiece(handle, file, (await handle.stat()).size, (piece) => { hash.update(piece); });
    return hash.digest('hex');
  } finally {
    await handle.close();
  }
}

/** The file's pieces in order; the next one is read while one is used. */
async function forEachPiece(handle: fs.FileHandle, file: string, size: number, use: (piece: Uint8Array, done: number) => Promise<void> | void): Promise<void> {
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
    await use(piece, at + piece.length);
  }
  await next;
}
