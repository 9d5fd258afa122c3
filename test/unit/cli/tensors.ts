import { openSafetensors } from '../../../extension/core/formats/safetensors/read';
import { writeSafetensors } from '../../../extension/core/formats/safetensors/write';

/** Whole tensor as float32. */
export async function readTensor(path: string, name: string): Promise<{ shape: readonly number[]; values: Float32Array }> {
  const file = await openSafetensors(path);
  try {
    const info = file.tensors.get(name);
    if (!info) throw new Error(`${path} has no tensor ${name}`);
    const bytes = (await file.readBytes(name)).slice();
    const values = info.dtype === 'I32' ? Float32Array.from(new Int32Array(bytes.buffer)) : await file.readFloat32(name);
    return { shape: info.shape, values };
  } finally {
    await file.close();
  }
}

/** Writes tensor input_ids [1, L]. */
export async function writeIds(path: string, ids: ArrayLike<number>): Promise<void> {
  const values = Int32Array.from(ids);
  await writeSafetensors(path, [{ name: 'input_ids', dtype: 'I32', shape: [1, values.length], data: new Uint8Array(values.buffer) }]);
}

/** ||a - b|| / ||b||; NaN when a contains one. */
export function relativeError(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) throw new Error(`${a.length} values against ${b.length}`);
  let difference = 0;
  let norm = 0;
  for (let i = 0; i < b.length; i++) {
    difference += (a[i] - b[i]) ** 2;
    norm += b[i] ** 2;
  }
  return Math.sqrt(difference / norm);
}
