import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { firstBytes } from '../first-bytes';
import { readFailure } from '../read-failure';
import type { TensorFile } from '../tensor-file';
import { CheckpointFile } from './checkpoint-file';
import { openLegacyCheckpoint } from './legacy-checkpoint';
import type { Refuse } from './refusal';
import { CheckpointError } from './refusal';
import { findStateDict } from './state-dict';
import { openZipCheckpoint } from './zip-checkpoint';

/**
 * Opens the weights of a PyTorch checkpoint (.pt, .pth, .ckpt, .bin; ZIP and legacy form) for reading. Nothing in it is executed; tensor
 * data stay on disk until asked for. Throws UserError with the byte offset and the reason.
 */
export async function openTorchCheckpoint(file: string): Promise<TensorFile> {
  const absolute = path.resolve(file);
  const head = Buffer.from(await firstBytes(absolute));
  const refuse: Refuse = (offset, reason, hint) => {
    throw new CheckpointError(absolute, offset, reason, hint);
  };
  const handle = await fs.open(absolute, 'r').catch((cause: unknown) => { throw readFailure(absolute, cause); });
  try {
    const { size } = await handle.stat();
    const open = head.toString('latin1', 0, 2) === 'PK' ? openZipCheckpoint : openLegacyCheckpoint;
    const { root, positionOf } = await open(handle, absolute, size, refuse);
    const weights = findStateDict(root, absolute, size);
    if (weights.tensors.size === 0) {
      refuse(0, 'it holds no tensors');
    }
    return new CheckpointFile(absolute, handle, positionOf, weights);
  } catch (cause) {
    await handle.close();
    throw cause;
  }
}
