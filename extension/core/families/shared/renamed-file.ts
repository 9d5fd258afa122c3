import type { TensorFile, TensorInfo } from '../../formats/tensor-file';

/** A file seen under other tensor names: `stored` maps each new name to the file's. Tensors that it leaves out are not seen. */
export function renamedFile(file: TensorFile, stored: ReadonlyMap<string, string>): TensorFile {
  const real = (name: string): string => stored.get(name) ?? name;
  const tensors = new Map<string, TensorInfo>();
  for (const [name, storedName] of stored) {
    const info = file.tensors.get(storedName);
    if (info) {
      tensors.set(name, { ...info, name });
    }
  }
  return {
    path: file.path,
    metadata: file.metadata,
    tensors,
    readBytes: (name, begin, end, into) => file.readBytes(real(name), begin, end, into),
    readFloat32: (name, begin, end) => file.readFloat32(real(name), begin, end),
    close: () => file.close(),
  };
}
