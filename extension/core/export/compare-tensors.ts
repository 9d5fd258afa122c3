import type { TensorFile } from '../formats/tensor-file';

/** Bytes of a tensor compared at a time. */
const COMPARED_AT_ONCE = 1 << 22;

/** The first of some tensors, which both files have, whose type, shape or bytes differ between them; in memory that does not grow with the files. */
export async function firstDifference(a: TensorFile, b: TensorFile, names: Iterable<string>): Promise<string | undefined> {
  for (const name of names) if (!(await sameTensor(a, b, name))) return name;
  return undefined;
}

async function sameTensor(a: TensorFile, b: TensorFile, name: string): Promise<boolean> {
  const [one, other] = [a.tensors.get(name), b.tensors.get(name)];
  if (!one || !other || one.dtype !== other.dtype || one.byteLength !== other.byteLength || one.shape.join() !== other.shape.join()) return false;
  for (let begin = 0; begin < one.byteLength; begin += COMPARED_AT_ONCE) {
    const end = Math.min(one.byteLength, begin + COMPARED_AT_ONCE);
    const [x, y] = await Promise.all([a.readBytes(name, begin, end), b.readBytes(name, begin, end)]);
    if (Buffer.compare(x, y) !== 0) return false;
  }
  return true;
}
