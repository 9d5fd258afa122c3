import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { openSafetensors } from '../../../extension/core/formats/safetensors/read';
import type { TensorEntry } from '../../../extension/core/formats/safetensors/write';
import { copiedTensor, writeSafetensors } from '../../../extension/core/formats/safetensors/write';

export interface Changes {
  readonly drop?: RegExp;
  readonly rename?: (name: string) => string;
  /** Added, or put in place of tensors of the same (new) name. */
  readonly put?: readonly TensorEntry[];
  readonly metadata?: ReadonlyMap<string, string>;
  /** Content of config.json beside the file; a string is written as it is. */
  readonly config?: unknown;
}

/** Writes a changed copy of the model in folder `source` to the folder `target`; returns the path of its weights. */
export async function writeVariant(source: string, target: string, { drop, rename = (name) => name, put = [], metadata, config }: Changes): Promise<string> {
  const file = await openSafetensors(path.join(source, 'model.safetensors'));
  const replaced = new Set(put.map(({ name }) => name));
  const kept = [...file.tensors.keys()].filter((name) => !drop?.test(name))
    .map((name) => ({ ...copiedTensor(file, name), name: rename(name) })).filter(({ name }) => !replaced.has(name));
  const written = path.join(target, 'model.safetensors');
  await fs.rm(target, { recursive: true, force: true });
  await fs.mkdir(target, { recursive: true });
  await writeSafetensors(written, [...kept, ...put], { metadata: metadata ?? file.metadata });
  await file.close();
  if (config !== undefined) {
    await fs.writeFile(path.join(target, 'config.json'), typeof config === 'string' ? config : JSON.stringify(config));
  }
  return written;
}

/** An F32 tensor of the given values, or filled with one. */
export function f32(name: string, shape: readonly number[], values: ArrayLike<number> | number): TensorEntry {
  const count = shape.reduce((product, dimension) => product * dimension, 1);
  const data = typeof values === 'number' ? new Float32Array(count).fill(values) : Float32Array.from(values);
  return { name, dtype: 'F32', shape, data: new Uint8Array(data.buffer) };
}
