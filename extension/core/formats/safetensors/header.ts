import { isUtf8 } from 'node:buffer';
import { bitsOf, isDType } from '../dtype';
import type { DType, TensorInfo } from '../tensor-file';
import type { Unsigned } from './json-scanner';
import { JsonScanner, LARGEST_UNSIGNED } from './json-scanner';
import type { Refuse } from './refusal';
import { quoted } from '../quoted';

/** The official limit on the header's length, in bytes. */
export const LARGEST_HEADER = 100_000_000;
export const METADATA_KEY = '__metadata__';
/** Length of the header's length: a little-endian 64-bit integer. */
export const LENGTH_BYTES = 8;

/** More tensors and metadata entries than any model has, and few enough to check in a second. */
const MOST_ENTRIES = 100_000;
/** PyTorch and NumPy have no tensors of more dimensions. */
const MOST_DIMENSIONS = 64;

export interface StoredTensor extends TensorInfo {
  /** Position in the file of the tensor's first byte. */
  readonly position: number;
}

export interface Header {
  /** In the order of the header. */
  readonly tensors: Map<string, StoredTensor>;
  readonly metadata: Map<string, string>;
}

interface Entry {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly Unsigned[];
  readonly begin: Unsigned;
  readonly end: Unsigned;
  /** Offset in the file of the entry's name. */
  readonly at: number;
}

/**
 * Reads and checks a header as the official parser (0.8) does, and refuses duplicate tensor names on top. `bytes` is the JSON that
 * follows the header length, `fileSize` the size of the whole file. Dimensions above 2^53, legal where another one is 0, are rounded.
 */
export function parseHeader(bytes: Uint8Array, fileSize: number, refuse: Refuse): Header {
  if (!isUtf8(bytes)) {
    refuse('InvalidHeader', LENGTH_BYTES, 'the header is not UTF-8 text');
  }
  const { entries, metadata } = scanHeader(bytes, refuse);
  checkLayout(entries, LENGTH_BYTES + bytes.length, fileSize, refuse);
  const tensors = new Map<string, StoredTensor>();
  for (const { name, dtype, shape, begin, end } of entries) {
    const byteLength = Number(end) - Number(begin);
    tensors.set(name, { name, dtype, shape: shape.map(Number), byteLength, position: LENGTH_BYTES + bytes.length + Number(begin) });
  }
  return { tensors, metadata };
}

function scanHeader(bytes: Uint8Array, refuse: Refuse): { entries: Entry[]; metadata: Map<string, string> } {
  const scanner = new JsonScanner(bytes, LENGTH_BYTES, refuse);
  const entries: Entry[] = [];
  const names = new Set<string>();
  let metadata: Map<string, string> | undefined;
  const limit = (count: number, at: number): void => {
    if (count > MOST_ENTRIES) {
      refuse('TooManyEntries', at, `the header has more than ${MOST_ENTRIES} entries`);
    }
  };
  scanner.object('an object', (name, at) => {
    if (name === METADATA_KEY) {
      if (metadata) {
        scanner.fail(`has ${METADATA_KEY} twice`, at);
      }
      metadata = scanMetadata(scanner, limit);
      return;
    }
    if (names.has(name)) {
      refuse('DuplicateName', at, `the header names tensor ${quoted(name)} twice`);
    }
    names.add(name);
    entries.push(scanEntry(scanner, name, at, refuse));
    limit(entries.length, at);
  });
  scanner.end();
  return { entries, metadata: metadata ?? new Map() };
}

function scanMetadata(scanner: JsonScanner, limit: (count: number, at: number) => void): Map<string, string> {
  const metadata = new Map<string, string>();
  if (!scanner.tryNull()) {
    scanner.object(`${METADATA_KEY} as an object of strings`, (key, at) => {
      metadata.set(key, scanner.string(`a string as value of ${METADATA_KEY}`));
      limit(metadata.size, at);
    });
  }
  return metadata;
}

type Field = 'dtype' | 'shape' | 'data_offsets';
const FIELDS: readonly Field[] = ['dtype', 'shape', 'data_offsets'];

/** A tensor's entry: an object, or (as the official parser allows) an array of its three fields in order. */
function scanEntry(scanner: JsonScanner, name: string, at: number, refuse: Refuse): Entry {
  const fields: { dtype?: DType; shape?: Unsigned[]; data_offsets?: Unsigned[] } = {};
  const read = (field: Field): void => {
    if (field === 'dtype') {
      fields.dtype = scanDType(scanner, name);
    } else if (field === 'shape') {
      fields.shape = scanShape(scanner, name, refuse);
    } else {
      fields.data_offsets = scanOffsets(scanner, name);
    }
  };
  if (scanner.startsArray()) {
    scanner.array('an entry', (index) => {
      if (index >= FIELDS.length) {
        scanner.fail(`has more than ${FIELDS.length} fields for tensor ${quoted(name)}`);
      }
      read(FIELDS[index]);
    });
  } else {
    scanner.object(`an object with dtype, shape and data_offsets for tensor ${quoted(name)}`, (key, keyAt) => {
      const field = FIELDS.find((candidate) => candidate === key);
      if (field === undefined) {
        scanner.skipValue();
        return;
      }
      if (fields[field] !== undefined) {
        scanner.fail(`has ${field} twice for tensor ${quoted(name)}`, keyAt);
      }
      read(field);
    });
  }
  const { dtype, shape, data_offsets: offsets } = fields;
  if (dtype === undefined || shape === undefined || offsets === undefined) {
    return scanner.fail(`gives no ${FIELDS.find((field) => fields[field] === undefined)} for tensor ${quoted(name)}`, at);
  }
  return { name, dtype, shape, begin: offsets[0], end: offsets[1], at };
}

function scanDType(scanner: JsonScanner, name: string): DType {
  const at = scanner.offset;
  const dtype = scanner.string(`a string as dtype of tensor ${quoted(name)}`);
  return isDType(dtype) ? dtype : scanner.fail(`gives tensor ${quoted(name)} the dtype ${quoted(dtype)}, which the format does not have`, at);
}

function scanShape(scanner: JsonScanner, name: string, refuse: Refuse): Unsigned[] {
  const shape: Unsigned[] = [];
  const at = scanner.offset;
  scanner.array(`an array as shape of tensor ${quoted(name)}`, (index) => {
    if (index >= MOST_DIMENSIONS) {
      refuse('TooManyDimensions', at, `the header gives tensor ${quoted(name)} more than ${MOST_DIMENSIONS} dimensions`);
    }
    shape.push(scanner.unsigned('a dimension'));
  });
  return shape;
}

function scanOffsets(scanner: JsonScanner, name: string): Unsigned[] {
  const offsets: Unsigned[] = [];
  const at = scanner.offset;
  scanner.array(`an array of two numbers as data_offsets of tensor ${quoted(name)}`, (index) => {
    if (index >= 2) {
      scanner.fail(`has more than two data_offsets for tensor ${quoted(name)}`, at);
    }
    offsets.push(scanner.unsigned('a data offset'));
  });
  return offsets.length === 2 ? offsets : scanner.fail(`has fewer than two data_offsets for tensor ${quoted(name)}`, at);
}

/** Tensors must cover the data without holes or overlap, and each must be as large as its shape and dtype say. */
function checkLayout(entries: readonly Entry[], dataStart: number, fileSize: number, refuse: Refuse): void {
  let covered: Unsigned = 0;
  for (const { name, dtype, shape, begin, end, at } of [...entries].sort(byOffsets)) {
    if (begin !== covered || end < begin) {
      refuse('InvalidOffset', at, `tensor ${quoted(name)} has data_offsets [${begin}, ${end}], but the data before it ends at ${covered}`);
    }
    const elements = product(shape);
    const bits = elements === null ? null : product([elements, bitsOf(dtype)]);
    if (bits === null) {
      return refuse('ValidationOverflow', at, `the size of tensor ${quoted(name)} of shape [${shape.join(', ')}] does not fit in 64 bits`);
    }
    if (typeof bits === 'bigint' ? bits % 8n !== 0n : bits % 8 !== 0) {
      refuse('MisalignedSlice', at, `tensor ${quoted(name)} of ${elements} ${dtype} values does not fill whole bytes`);
    }
    const size = BigInt(bits) / 8n;
    if (BigInt(end) - BigInt(begin) !== size) {
      refuse('TensorInvalidInfo', at,
        `tensor ${quoted(name)}, ${dtype} of shape [${shape.join(', ')}], needs ${size} bytes, but its data_offsets give it ${BigInt(end) - BigInt(begin)}`);
    }
    covered = end;
  }
  const end = BigInt(dataStart) + BigInt(covered);
  if (end > fileSize) {
    refuse('MetadataIncompleteBuffer', fileSize, `the file ends, but its tensors need ${end} bytes: it is truncated`, 'Download or copy the file again.');
  }
  if (end < fileSize) {
    refuse('MetadataIncompleteBuffer', Number(end), `the tensors end, but the file goes on to byte ${fileSize}`);
  }
}

function byOffsets(a: Entry, b: Entry): number {
  return a.begin < b.begin ? -1 : a.begin > b.begin ? 1 : a.end < b.end ? -1 : a.end > b.end ? 1 : 0;
}

/** Product from left to right; null when it, or a product on the way, does not fit in 64 bits. */
function product(factors: readonly Unsigned[]): Unsigned | null {
  let result: Unsigned = 1;
  for (const factor of factors) {
    if (result === 0) {
      return 0;
    }
    const quick: number = typeof result === 'number' && typeof factor === 'number' ? result * factor : Infinity;
    if (quick <= Number.MAX_SAFE_INTEGER) {
      result = quick;
      continue;
    }
    const exact: bigint = BigInt(result) * BigInt(factor);
    if (exact > LARGEST_UNSIGNED) {
      return null;
    }
    result = exact <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(exact) : exact;
  }
  return result;
}
