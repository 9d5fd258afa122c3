import { onnxBits } from './element-type';
import type { ExternalData } from './external-data';
import type { PagedFile } from './paged-file';
import { tensorBytes, tensorElements } from './parse-tensor';
import type { OnnxTensor } from './structure';

/** Where a tensor's values lie as plain little-endian bytes; undefined where they are written as lists of numbers. */
export function plainBytes(tensor: OnnxTensor, model: PagedFile, external: ExternalData): { readonly file: PagedFile; readonly start: number } | undefined {
  if (tensor.external) return { file: external.file(tensor.external.location), start: tensor.external.offset };
  if (tensor.raw) return { file: model, start: tensor.raw.start };
  const [first, ...rest] = tensor.typed?.ranges ?? [];
  const fixedWidth = tensor.typed?.field === 4 || tensor.typed?.field === 10;
  return first && rest.length === 0 && fixedWidth ? { file: model, start: first.start } : undefined;
}

/** Bytes [begin, end) of a tensor's values, little-endian; the whole by default. See TensorFile.readBytes for `into`. Throws RangeError outside of it. */
export function readTensorBytes(tensor: OnnxTensor, model: PagedFile, external: ExternalData, begin = 0, end = tensorBytes(tensor), into?: Uint8Array): Uint8Array {
  const size = tensorBytes(tensor);
  if (!(begin >= 0 && begin <= end && end <= size)) throw new RangeError(`range [${begin}, ${end}) is outside tensor ${tensor.name} of ${size} bytes`);
  const plain = plainBytes(tensor, model, external);
  if (!plain) return typedBytes(tensor, model).subarray(begin, end);
  const bytes = into?.subarray(0, end - begin) ?? new Uint8Array(end - begin);
  plain.file.readInto(bytes, plain.start + begin);
  return bytes;
}

/** Values written as lists of numbers, as little-endian bytes. */
function typedBytes(tensor: OnnxTensor, model: PagedFile): Uint8Array {
  const result = new Uint8Array(tensorBytes(tensor));
  const { field, ranges } = tensor.typed ?? { field: 0, ranges: [] };
  let done = 0;
  if (field === 4 || field === 10) {
    for (const { start, end } of ranges) {
      const part = model.bytes(start, Math.min(end, start + result.length - done));
      result.set(part, done);
      done += part.length;
    }
    return result;
  }
  const width = Math.max(1, onnxBits(tensor.type) / 8);
  const count = Math.ceil((tensorElements(tensor) * onnxBits(tensor.type)) / 8 / width);
  const view = new DataView(result.buffer);
  for (const { start, end } of ranges) {
    const bytes = model.bytes(start, end);
    for (let at = 0; at < bytes.length && done < count; done++) {
      const { low, high, next } = varint64(bytes, at);
      at = next;
      if (width === 8) {
        view.setUint32(8 * done, low, true);
        view.setUint32(8 * done + 4, high, true);
      } else if (width === 4) view.setUint32(4 * done, low, true);
      else if (width === 2) view.setUint16(2 * done, low & 0xffff, true);
      else view.setUint8(done, low & 0xff);
    }
  }
  return result;
}

/** The halves of a base-128 number of up to 64 bits; a list that is cut off ends in zeros. */
function varint64(bytes: Uint8Array, start: number): { low: number; high: number; next: number } {
  let low = 0;
  let high = 0;
  for (let i = 0; i < 10 && start + i < bytes.length; i++) {
    const bits = bytes[start + i] & 0x7f;
    const shift = 7 * i;
    if (shift < 28) low |= bits << shift;
    else if (shift === 28) {
      low |= bits << 28;
      high |= bits >>> 4;
    } else high |= bits << (shift - 32);
    if (bytes[start + i] < 0x80) return { low: low >>> 0, high: high >>> 0, next: start + i + 1 };
  }
  return { low: low >>> 0, high: high >>> 0, next: Math.min(bytes.length, start + 10) };
}
