import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import type { TensorEntry } from '../../../extension/core/formats/safetensors/write';
import { f32 } from './variants';

/** Sizes and block kinds of an Evo 2 model; kinds by block. */
export interface Evo2Shape {
  readonly hidden: number;
  readonly inner: number;
  readonly groups: number;
  readonly kinds: readonly ('hcs' | 'hcm' | 'hcl' | 'attn')[];
  readonly vocabulary: number;
}

/** evo2_7b_base: kinds of its 32 blocks. */
export const EVO2_7B: Evo2Shape = {
  hidden: 4096, inner: 11008, groups: 256, vocabulary: 512,
  kinds: Array.from({ length: 32 }, (_, block) => ([3, 10, 17, 24, 31].includes(block) ? 'attn' : [2, 6, 9, 13, 16, 20, 23, 27, 30].includes(block) ? 'hcl' : block % 2 ? 'hcm' : 'hcs')),
};

/** Names and shapes of an Evo 2 checkpoint's tensors, as the published ones have them. */
export function evo2Tensors({ hidden, inner, groups, kinds, vocabulary }: Evo2Shape): [name: string, shape: number[]][] {
  const tensors: [string, number[]][] = [['embedding_layer.weight', [vocabulary, hidden]]];
  kinds.forEach((kind, block) => {
    const base = `blocks.${block}.`;
    tensors.push([`${base}pre_norm.scale`, [hidden]], [`${base}post_norm.scale`, [hidden]]);
    tensors.push([`${base}mlp.l1.weight`, [inner, hidden]], [`${base}mlp.l2.weight`, [inner, hidden]], [`${base}mlp.l3.weight`, [hidden, inner]]);
    if (kind === 'attn') {
      tensors.push([`${base}inner_mha_cls.Wqkv.weight`, [3 * hidden, hidden]], [`${base}inner_mha_cls.out_proj.weight`, [hidden, hidden]], [`${base}inner_mha_cls.out_proj.bias`, [hidden]]);
      return;
    }
    tensors.push([`${base}projections.weight`, [3 * hidden, hidden]], [`${base}out_filter_dense.weight`, [hidden, hidden]], [`${base}out_filter_dense.bias`, [hidden]]);
    tensors.push([`${base}filter.short_filter_weight`, [3 * hidden, 1, 3]]);
    if (kind === 'hcs') tensors.push([`${base}filter.h`, [groups, 1, 7]]);
    if (kind === 'hcm') tensors.push([`${base}filter.h`, [groups, 1, 128]], [`${base}filter.D`, [hidden]]);
    if (kind === 'hcl') tensors.push([`${base}filter.log_poles`, [hidden, 16, 1]], [`${base}filter.residues`, [hidden, 16]], [`${base}filter.D`, [hidden]]);
  });
  tensors.push(['norm.scale', [hidden]], ['unembed.weight', [vocabulary, hidden]]);
  return tensors;
}

/** Writes a safetensors file of which only the header takes room on disk: BF16 zeros. Resolves to its size in bytes. */
export async function writeSparse(file: string, tensors: readonly (readonly [name: string, shape: readonly number[]])[]): Promise<number> {
  let offset = 0;
  const header = JSON.stringify(Object.fromEntries(tensors.map(([name, shape]) => {
    const begin = offset;
    offset += 2 * shape.reduce((a, b) => a * b, 1);
    return [name, { dtype: 'BF16', shape, data_offsets: [begin, offset] }];
  })));
  const text = Buffer.from(header + ' '.repeat((8 - (header.length % 8)) % 8));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  const handle = await fs.open(file, 'w');
  await handle.write(Buffer.concat([length, text]));
  await handle.truncate(8 + text.length + offset);
  await handle.close();
  return 8 + text.length + offset;
}

/** Entries with spread values: poles that decay, everything else small. */
export function evo2Entries(shape: Evo2Shape): TensorEntry[] {
  return evo2Tensors(shape).map(([name, dims], index) => {
    const count = dims.reduce((a, b) => a * b, 1);
    const value = (i: number): number => ((((i + 1) * 0.6180339887 + index * 0.37) % 1) - 0.5) * 0.4;
    return f32(name, dims, Float32Array.from({ length: count }, (_, i) => (name.endsWith('log_poles') ? -0.02 - Math.abs(value(i)) : name.endsWith('scale') ? 1 : value(i))));
  });
}

/** The same in several files of about as many tensors each, with their index; resolves to the size of all of them and the path of the index. */
export async function writeSparseShards(folder: string, tensors: readonly (readonly [name: string, shape: readonly number[]])[], count: number): Promise<{ bytes: number; index: string }> {
  const weightMap: Record<string, string> = {};
  let bytes = 0;
  for (let part = 0; part < count; part++) {
    const name = `model-${String(part + 1).padStart(5, '0')}-of-${String(count).padStart(5, '0')}.safetensors`;
    const inside = tensors.filter((_, i) => Math.floor((i * count) / tensors.length) === part);
    for (const [tensor] of inside) weightMap[tensor] = name;
    bytes += await writeSparse(path.join(folder, name), inside);
  }
  const index = path.join(folder, 'model.safetensors.index.json');
  await fs.writeFile(index, JSON.stringify({ metadata: { total_size: bytes }, weight_map: weightMap }));
  return { bytes, index };
}
