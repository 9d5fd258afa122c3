import type { TensorFile } from '../formats/tensor-file';

/** Bytes of a tensor compared at a time. */
const COMPARED_AT_ONCE = 1 << 20;

/** The first of some tensors, which both files have, whose type, shape or bytes differ between them; in memory that does not grow with the files. */
export async function firstDifference(a: TensorFile, b: TensorFile, names: Iterable<string>): Promise<string | undefined> {
  const buffers = [new Uint8Array(COMPARED_AT_ONCE), new Uint8Array(COMPARED_AT_ONCE)] as const;
  for (const name of names) if (!(await sameTensor(a, b, name, buffers))) return name;
  return undefined;
}

async function sameTensor(a: TensorFile, b: TensorFile, name: string, [first, second]: readonly [Uint8Array, Uint8Array]): Promise<boolean> {
  const [one, other] = [a.tensors.get(name), b.tensors.get(name)];
  if (!one || !other || one.dtype !== other.dtype || one.byteLength !== other.byteLength || one.shape.join() !== other.shape.join()) return false;
  for (let begin = 0; begin < one.byteLength; begin += COMPARED_AT_ONCE) {
    const end = Math.min(one.byteLength, begin + COMPARED_AT_ONCE);
    const [x, y] = await Promise.all([a.readBytes(name, begin, end, first), b.readBytes(name, begin, end, second)]);
    if (Buffer.compare(x, y) !== 0) return false;
  }
  return true;
}
