import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { UserError } from '../errors';
import type { TensorFile } from '../formats/tensor-file';

/**
 * Refuses to write over files that the same job reads, by whatever path: links are followed. A mistaken -o would cost the user a model.
 * `outputs` and `inputs`: paths, where they are given.
 */
export async function refuseToReplace(outputs: readonly (string | undefined)[], inputs: readonly (string | undefined)[]): Promise<void> {
  const read = new Set(await Promise.all(inputs.filter((input) => input !== undefined).map(place)));
  for (const output of outputs) {
    if (output !== undefined && read.has(await place(output))) {
      throw new UserError(`${output} is a file that is read here, which is never written in place.`, 'Choose another file name.');
    }
  }
}

/** Everything on disk that a model is opened from: its own files, and the config.json beside them. */
export const filesOf = (file: TensorFile): string[] => [...(file.files ?? [file.path]), path.join(path.dirname(file.path), 'config.json')];

/** What a path leads to. A file that is not there yet has the folder that its path leads to. */
export async function place(file: string): Promise<string> {
  return fs.realpath(file).catch(async () => path.join(await fs.realpath(path.dirname(file)).catch(() => path.dirname(path.resolve(file))), path.basename(file)));
}
