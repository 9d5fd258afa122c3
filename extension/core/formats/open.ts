import * as path from 'node:path';
import { UserError } from '../errors';
import { firstBytes } from './first-bytes';
import type { ContentKind } from './looks-like';
import { looksLike } from './looks-like';
import { openOnnx } from './onnx/read';
import { openSafetensors } from './safetensors/read';
import type { TensorFile } from './tensor-file';

const CONVERT = 'Convert the model to safetensors first, for example with safetensors.torch.save_file of its state dict.';

/** Model files that are recognised but not read. */
const UNREAD: Partial<Record<ContentKind, readonly [sentence: string, hint: string]>> = {
  'pytorch-zip': ['is a PyTorch checkpoint, which cannot be opened yet: only safetensors files can', CONVERT],
  'pytorch-legacy': ['is a PyTorch checkpoint or pickle, which cannot be opened yet: only safetensors files can', CONVERT],
  'sharded-index': ['is the index of a model in several files, which cannot be opened yet: only single safetensors files can',
    'Write the model to one file first, for example with safetensors.torch.save_file.'],
  'git-lfs': ['is a Git LFS pointer: the model itself has not been downloaded', 'Run `git lfs pull` in its folder.'],
};

/**
 * Opens a model file in whichever format it is, going by content first and by extension second. Throws UserError that says what the
 * file is when it cannot be read.
 */
export async function openTensorFile(file: string): Promise<TensorFile> {
  const absolute = path.resolve(file);
  const guess = looksLike(await firstBytes(absolute), absolute);
  const unread = guess && UNREAD[guess.kind];
  if (unread) {
    throw new UserError(`${absolute} ${unread[0]}.`, unread[1]);
  }
  if (guess?.kind === 'onnx') {
    return openOnnx(absolute);
  }
  return openSafetensors(absolute);
}
