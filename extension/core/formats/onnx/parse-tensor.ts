import { onnxBits } from './element-type';
import { type Field, Wire, type WireReader } from './wire';
import type { ByteRange, ExternalLocation, OnnxTensor, Span } from './structure';

/** Dimensions beyond this many are not found in models. */
const MOST_DIMENSIONS = 64;
/** Smallest number of bytes that one element takes in a typed list, and the element types that may use it. */
const TYPED: Readonly<Record<number, { readonly width: number; readonly types: readonly number[] }>> = {
  4: { width: 4, types: [1, 14] },
  5: { width: 1, types: [2, 3, 4, 5, 6, 9, 10, 16, 17, 18, 19, 20, 21, 22, 23, 24] },
  7: { width: 1, types: [7] },
  10: { width: 8, types: [11, 15] },
  11: { width: 1, types: [12, 13] },
};

export const spanOf = (field: Field, parent: Span): Span =>
  ({ fieldStart: field.start, lengthAt: field.lengthAt, start: field.valueStart, end: field.end, parent });

/** A TensorProto. Its shape and the size of its data are checked against each other; external data is checked when it is opened. */
export function parseTensor(reader: WireReader, span: Span): OnnxTensor {
  const dims: number[] = [];
  let name = '';
  let type = 0;
  let raw: ByteRange | undefined;
  let typedField = 0;
  const typed: (ByteRange & { packed: boolean })[] = [];
  const external = new Map<string, string>();
  let location = 0;
  const dataFields: ByteRange[] = [];
  for (const field of reader.fields(span.start, span.end)) {
    switch (field.number) {
      case 1: reader.integers(field, dims, MOST_DIMENSIONS); break;
      case 2: type = field.varint; break;
      case 8: name = reader.text(field); break;
      case 9: raw = { start: reader.message(field).valueStart, end: field.end }; break;
      case 4: case 5: case 6: case 7: case 10: case 11:
        typedField = field.number;
        typed.push({ start: field.valueStart, end: field.end, packed: field.wire === Wire.Bytes });
        break;
      case 13: readEntry(reader, field, external); break;
      case 14: location = field.varint; break;
      default: continue;
    }
    if (field.number >= 4 && field.number !== 8) dataFields.push({ start: field.start, end: field.end });
  }
  const tensor: OnnxTensor = {
    span, name, dims, type, dataFields,
    ...(location === 1 ? { external: externalLocation(reader, span, name, external) } : raw ? { raw } : typed.length ? { typed: { field: typedField, ranges: typed } } : {}),
  };
  checkSize(reader, tensor);
  return tensor;
}

/** Number of elements; refused in parseTensor where it is no exact number. */
export const tensorElements = ({ dims }: Pick<OnnxTensor, 'dims'>): number => dims.reduce((product, dim) => product * dim, 1);

/** Bytes of a tensor's values in raw form. */
export const tensorBytes = (tensor: Pick<OnnxTensor, 'dims' | 'type'>): number => Math.ceil((tensorElements(tensor) * onnxBits(tensor.type)) / 8);

function checkSize(reader: WireReader, { span, name, dims, type, raw, typed, external }: OnnxTensor): void {
  const called = name === '' ? 'a tensor' : `the tensor ${JSON.stringify(name.slice(0, 80))}`;
  const elements = tensorElements({ dims });
  if (dims.some((dim) => !Number.isSafeInteger(dim) || dim < 0) || !Number.isSafeInteger(elements * 16)) {
    reader.refuse('InvalidShape', span.fieldStart, `${called} has the shape [${dims.join(', ')}], which no tensor can have`);
  }
  const bits = onnxBits(type);
  if (raw && bits > 0) {
    const expected = Math.ceil((elements * bits) / 8);
    if (raw.end - raw.start !== expected) {
      reader.refuse('InvalidTensor', span.fieldStart, `${called} of shape [${dims.join(', ')}] has ${raw.end - raw.start} bytes of data instead of ${expected}`);
    }
  }
  if (!raw && !external && bits > 0 && elements > 0) {
    const rule = typed && TYPED[typed.field];
    const bytes = (typed?.ranges ?? []).reduce((sum, range) => sum + range.end - range.start, 0);
    const packedElements = bits < 8 ? Math.ceil((elements * bits) / 8) : elements;
    if (!rule || !rule.types.includes(type) || bytes < packedElements * rule.width) {
      reader.refuse('InvalidTensor', span.fieldStart, `${called} of shape [${dims.join(', ')}] has no data of its type, or not enough of it`);
    }
  }
}

function readEntry(reader: WireReader, field: Field, into: Map<string, string>): void {
  let key = '';
  let value = '';
  for (const part of reader.fields(reader.message(field).valueStart, field.end)) {
    if (part.number === 1) key = reader.text(part);
    else if (part.number === 2) value = reader.text(part);
  }
  if (into.size < 64) into.set(key, value);
}

function externalLocation(reader: WireReader, span: Span, name: string, entries: ReadonlyMap<string, string>): ExternalLocation {
  const number = (key: string): number | undefined => {
    const text = entries.get(key);
    if (text === undefined) return undefined;
    const value = Number(text);
    if (!/^\d+$/.test(text) || !Number.isSafeInteger(value)) {
      reader.refuse('ExternalData', span.fieldStart, `the ${key} of the external tensor ${JSON.stringify(name)} is ${JSON.stringify(text.slice(0, 40))}`);
    }
    return value;
  };
  const location = entries.get('location');
  if (!location) return reader.refuse('ExternalData', span.fieldStart, `the external tensor ${JSON.stringify(name)} names no file`);
  return { location, offset: number('offset') ?? 0, length: number('length') };
}
