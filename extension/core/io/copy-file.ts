import * as fs from 'node:fs/promises';
import { readFailure } from '../formats/read-failure';
import { readAt } from '../formats/ranged-read';
import { writeAtomically } from './atomic-file';

/** Bytes copied at a time. */
const PIECE = 8 << 20;

/** Copies a file byte for byte in constant memory (see writeAtomically). Throws UserError where the source cannot be read or the target not be written. */
export async function copyFileAtomically(source: string, target: string): Promise<void> {
  const handle = await fs.open(source, 'r').catch((cause: unknown) => { throw readFailure(source, cause); });
  try {
    const { size } = await handle.stat();
    const buffer = Buffer.allocUnsafeSlow(Math.min(size, PIECE));
    await writeAtomically(target, async (sink) => {
      for (let at = 0; at < size; at += PIECE) {
        const piece = buffer.subarray(0, Math.min(PIECE, size - at));
        await readAt(handle, source, piece, at);
        await sink.write(piece);
      }
    });
  } finally {
    await handle.close();
  }
}
