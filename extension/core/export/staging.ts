import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { UserError } from '../errors';
import { isShardIndex } from '../formats/safetensors/shard-index';
import type { TensorFile } from '../formats/tensor-file';
import { moveInto, removeLeftover, writeFailure } from '../io/atomic-file';
import { checkOutputs, place } from '../io/check-outputs';
import { begun } from '../io/unfinished';

/** Where an export lies until it is verified. */
export interface Staging {
  /** Path to write to, and to open for verification. */
  readonly output: string;
  /** Moves what was written to where the user wanted it. */
  keep(): Promise<void>;
  /** Removes everything that was not kept. */
  discard(): Promise<void>;
}

/** Where one file lies until it is verified. Refused where that is something else than a file: it will be removed. */
export async function unverifiedBeside(output: string): Promise<string> {
  const file = `${output}.unverified`;
  await checkOutputs([file], []);
  return begun(file);
}

/** A place beside the wanted output, which is a file or the index of a model in several files. Refuses to write over the source. */
export async function stage(output: string, source: TensorFile): Promise<Staging> {
  const folder = path.dirname(output);
  if (!isShardIndex(output)) {
    const unverified = await unverifiedBeside(output);
    return { output: unverified, keep: () => moveInto(unverified, output), discard: () => removeLeftover(unverified) };
  }
  if (await place(folder) === path.dirname(await place(source.path))) {
    throw new UserError(`${folder} is the folder of the model itself, whose files are never written in place.`, 'Choose another folder.');
  }
  const staging = path.join(folder, `.${path.basename(output)}.unverified`);
  await fs.mkdir(staging).catch((cause: unknown) => { throw writeFailure(output, cause); });
  begun(staging);
  return {
    output: path.join(staging, path.basename(output)),
    keep: async () => {
      const names = (await fs.readdir(staging)).filter((name) => name !== path.basename(output));
      // The index last: as long as it is not there, no reader takes the files for a model.
      for (const name of [...names, path.basename(output)]) {
        await moveInto(path.join(staging, name), path.join(folder, name));
      }
    },
    discard: () => removeLeftover(staging),
  };
}
