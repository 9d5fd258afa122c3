import * as path from 'node:path';
import { UserError } from '../errors';
import { firstBytes } from './first-bytes';
import type { ContentGuess, ContentKind } from './looks-like';
import { looksLike } from './looks-like';
import { openOnnx } from './onnx/read';
import { openSafetensors } from './safetensors/read';
import { openSharded } from './safetensors/sharded';
import type { TensorFile } from './tensor-file';
import { openTorchCheckpoint } from './torch-checkpoint/read';

/** Model files that are recognised but not read. */
const UNREAD: Partial<Record<ContentKind, readonly [sentence: string, hint: string]>> = {
  'git-lfs': ['is a Git LFS pointer: the model itself has not been downloaded', 'Run `git lfs pull` in its folder.'],
};

/**
 * Opens a model file in whichever format it is, going by content first and by extension second. Throws UserError that says what the
 * file is when it cannot be read.
 */
export async function openTensorFile(file: string): Promise<TensorFile> {
  const absolute = path.resolve(file);
  const guess = looksLike(await firstBytes(absolute), absolute);
  if (guess?.kind === 'sharded-index') {
    return openSharded(absolute, openShard);
  }
  return openShard(absolute, guess);
}

/** Opens a file that holds tensors itself. */
async function openShard(file: string, known?: ContentGuess | null): Promise<TensorFile> {
  const guess = known === undefined ? looksLike(await firstBytes(file), file) : known;
  const unread = guess && UNREAD[guess.kind];
  if (unread) {
    throw new UserError(`${file} ${unread[0]}.`, unread[1]);
  }
  if (guess?.kind === 'sharded-index') {
    throw new UserError(`${file} is the index of a model in several files, where one of these files is needed.`, 'Download the model again.');
  }
  if (guess?.kind === 'onnx') {
    return openOnnx(file);
  }
  return guess?.kind === 'pytorch-zip' || guess?.kind === 'pytorch-legacy' ? openTorchCheckpoint(file) : openSafetensors(file);
}
