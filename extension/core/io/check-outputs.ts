import { constants } from 'node:fs';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { UserError } from '../errors';
import type { TensorFile } from '../formats/tensor-file';
import { writeFailure } from './atomic-file';

/**
 * Refuses, before the work, what cannot be written after it, and files that the same job reads, by whatever path: links are followed. A
 * mistaken -o would cost the user a model, or hours of a search. `outputs` and `inputs`: paths, where they are given.
 */
export async function checkOutputs(outputs: readonly (string | undefined)[], inputs: readonly (string | undefined)[]): Promise<void> {
  const read = new Set(await Promise.all(inputs.filter((input) => input !== undefined).map(place)));
  for (const output of outputs) {
    if (output === undefined) continue;
    if (read.has(await place(output))) throw new UserError(`${output} is a file that is read here, which is never written in place.`, 'Choose another file name.');
    await checkPlace(output).catch((cause: unknown) => { throw writeFailure(output, cause); });
  }
}

/** Everything on disk that a model is opened from: its own files, and the config.json beside them. */
export const filesOf = (file: TensorFile): string[] => [...(file.files ?? [file.path]), path.join(path.dirname(file.path), 'config.json')];

/** What a path leads to. A file that is not there yet has the folder that its path leads to. */
export async function place(file: string): Promise<string> {
  return fs.realpath(file).catch(async () => path.join(await fs.realpath(path.dirname(file)).catch(() => path.dirname(path.resolve(file))), path.basename(file)));
}

/** Throws as an attempt to write would. New files come to their names from the same folder, so that is what has to be writable. */
async function checkPlace(output: string): Promise<void> {
  await fs.access(path.dirname(output), constants.W_OK);
  const existing = await fs.stat(output).catch((cause: NodeJS.ErrnoException) => { if (cause.code !== 'ENOENT') throw cause; });
  if (existing?.isDirectory()) throw Object.assign(new Error(), { code: 'EISDIR' });
}
