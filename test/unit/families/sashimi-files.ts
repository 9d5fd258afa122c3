import * as path from 'node:path';
import type { LongConvModel } from '../../../extension/core/families/model';
import { openSafetensors } from '../../../extension/core/formats/safetensors/read';
import { copiedTensor, type TensorEntry } from '../../../extension/core/formats/safetensors/write';
import { loadEngine } from '../../../extension/kernel-host/addon';
import { noise } from '../graph/support/measure';
import { GOLDEN } from './golden';
import { filterRows } from './golden-runs';
import type { SashimiTensors } from './sashimi-reference';
import { f32, type Changes, writeVariant } from './variants';

/** The golden SaShiMi, and how many samples its poolings take. */
export const CASE = 'sashimi-a';
export const POOL = [2, 4];
/** The native one: the reference engine takes a second for the filters of this model. */
export const engine = loadEngine();

/** Modules of the variant with blocks on the way down, and the golden model's modules that they are made of. */
const DOWN: readonly (readonly [module: string, from: string])[] = [
  ['d_layers.0', 'u_layers.1.1'], ['d_layers.1', 'u_layers.1.2'], ['d_layers.2', 'd_layers.0'], ['d_layers.3', 'u_layers.0.1'], ['d_layers.4', 'u_layers.0.2'], ['d_layers.5', 'd_layers.1'],
];

/** What the reference takes, from an opened model whose tensors are `model.` and a module, an encoder and a decoder. */
export async function tensorsOf(model: LongConvModel): Promise<SashimiTensors> {
  const weights = new Map<string, Float32Array>();
  for (const [name, { dtype }] of model.file.tensors) if (dtype === 'F32') weights.set(name.replace(/^model\./, ''), await model.file.readFloat32(name));
  const filters = new Map(await Promise.all(model.sites.map(async ({ id, taps }) => [id, { rows: await filterRows(model, id, 0, undefined, engine), taps }] as const)));
  return { weights, filters };
}

/** The golden model with blocks before its poolings; `without`: a module to leave out. Returns the path of its weights. */
export async function writeUnet(folder: string, changes: Changes, without?: string): Promise<string> {
  const file = await openSafetensors(path.join(GOLDEN(CASE), 'model.safetensors'));
  const put: TensorEntry[] = [];
  for (const [i, [module, from]] of DOWN.entries()) {
    if (module === without) continue;
    for (const [name, { shape }] of file.tensors) {
      if (!name.startsWith(`model.${from}.`)) continue;
      const target = name.replace(from, module);
      // Other weights than those they are copied from; the state spaces stay, as the matrices of one are tuned to each other.
      const spread = noise(shape.reduce((a, b) => a * b, 1), i + 1);
      put.push(/\.kernel\./.test(name) ? { ...copiedTensor(file, name), name: target } : f32(target, shape, (await file.readFloat32(name)).map((value, at) => value + 0.2 * spread[at])));
    }
  }
  const written = await writeVariant(GOLDEN(CASE), folder, { ...changes, drop: /^model\.d_layers\./, put });
  await file.close();
  return written;
}
