import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { openSafetensors } from '../../../../extension/core/formats/safetensors/read';
import { copiedTensor, writeSafetensors } from '../../../../extension/core/formats/safetensors/write';

export const INDEX = 'model.safetensors.index.json';

/** Distributes the tensors of a safetensors file over several, in turn or as `partOf` says; returns the path of the index. */
export async function shard(source: string, folder: string, count: number, partOf = (_: string, i: number): number => i % count): Promise<string> {
  const file = await openSafetensors(source);
  const weightMap: Record<string, string> = {};
  await fs.mkdir(folder, { recursive: true });
  const names = [...file.tensors.keys()];
  for (let part = 0; part < count; part++) {
    const name = `model-${String(part + 1).padStart(5, '0')}-of-${String(count).padStart(5, '0')}.safetensors`;
    const inside = names.filter((tensor, i) => partOf(tensor, i) === part);
    inside.forEach((tensorName) => { weightMap[tensorName] = name; });
    await writeSafetensors(path.join(folder, name), inside.map((tensorName) => copiedTensor(file, tensorName)), { metadata: new Map([['format', 'pt'], [`part ${part}`, 'yes']]) });
  }
  await file.close();
  const index = path.join(folder, INDEX);
  await fs.writeFile(index, JSON.stringify({ metadata: { total_size: 1.5 }, weight_map: weightMap }, undefined, 2));
  return index;
}
