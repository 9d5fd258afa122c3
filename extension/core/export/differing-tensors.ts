import type { TensorFile } from '../formats/tensor-file';

/** Bytes of a tensor compared at a time. */
const COMPARED_AT_ONCE = 1 << 23;

/** Names of the tensors that both files have, with other bytes. */
export async function differingTensors(a: TensorFile, b: TensorFile): Promise<string[]> {
  const differing: string[] = [];
  for (const { name, byteLength } of a.tensors.values()) {
    if (!b.tensors.has(name)) continue;
    if (!(await sameBytes(a, b, name, byteLength))) differing.push(name);
  }
  return differing;
}

async function sameBytes(a: TensorFile, b: TensorFile, name: string, byteLength: number): Promise<boolean> {
  if (b.tensors.get(name)?.byteLength !== byteLength) return false;
  for (let begin = 0; begin < byteLength; begin += COMPARED_AT_ONCE) {
    const end = Math.min(byteLength, begin + COMPARED_AT_ONCE);
    if (Buffer.compare(await a.readBytes(name, begin, end), await b.readBytes(name, begin, end)) !== 0) return false;
  }
  return true;
}
