import { UserError } from '../../errors';
import { writeAtomically } from '../../io/atomic-file';
import { bitsOf, DTYPES, elementCount } from '../dtype';
import type { DType, TensorFile } from '../tensor-file';
import { LARGEST_HEADER, LENGTH_BYTES, METADATA_KEY } from './header';
import { quoted } from '../quoted';

export interface TensorEntry {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** Little-endian bytes, whole or as a stream of pieces of any size, each of which is valid until the next one is asked for. */
  readonly data: Uint8Array | (() => AsyncIterable<Uint8Array>);
}

export interface WriteOptions {
  readonly metadata?: ReadonlyMap<string, string>;
  /** Keeps the entries' order, as for a changed copy of a file; by default tensors are ordered as the official library does. */
  readonly keepOrder?: boolean;
  readonly signal?: AbortSignal;
}

/** Bytes that copied tensors are read at a time. */
const COPIED_AT_ONCE = 1 << 20;

/**
 * Writes a safetensors file: `__metadata__` first, compact JSON, header padded with spaces to a multiple of 8 bytes, tensors without
 * gaps. Memory is bounded by the largest piece of the entries' data. The target appears whole or not at all (see writeAtomically).
 * Throws UserError where names clash or an entry's data is not as long as its dtype and shape say.
 */
export async function writeSafetensors(path: string, entries: readonly TensorEntry[], options: WriteOptions = {}): Promise<void> {
  const ordered = options.keepOrder ? entries : [...entries].sort(officialOrder);
  const header = encodeHeader(path, ordered, options.metadata ?? new Map());
  await writeAtomically(path, async (sink) => {
    await sink.write(header);
    for (const entry of ordered) {
      const expected = byteLength(path, entry);
      let written = 0;
      for await (const piece of pieces(entry)) {
        written += piece.length;
        if (written > expected) {
          break;
        }
        await sink.write(piece);
      }
      if (written !== expected) {
        throw new UserError(
          `Cannot write ${path}: tensor ${quoted(entry.name)}, ${entry.dtype} of shape [${entry.shape.join(', ')}], `
          + `needs ${expected} bytes but ${written > expected ? 'more' : `only ${written}`} were given.`);
      }
    }
  }, options.signal);
}

/** Puts bytes into a tensor's data, at an offset in it. */
export type PlaceBytes = (name: string, offset: number, bytes: Uint8Array) => Promise<void>;

/**
 * Writes a safetensors file whose data comes in any order, so that tensors too large for memory can be made piece by piece across their rows.
 * What `fill` does not place is 0. The target appears whole or not at all.
 */
export async function writeSafetensorsInPlaces(
  path: string, entries: readonly Omit<TensorEntry, 'data'>[], fill: (place: PlaceBytes) => Promise<void>, options: WriteOptions = {},
): Promise<void> {
  const empty = entries.map((entry): TensorEntry => ({ ...entry, data: new Uint8Array(0) }));
  const ordered = options.keepOrder ? empty : empty.sort(officialOrder);
  const header = encodeHeader(path, ordered, options.metadata ?? new Map());
  const starts = new Map<string, number>();
  let end = header.length;
  for (const entry of ordered) {
    starts.set(entry.name, end);
    end += byteLength(path, entry);
  }
  await writeAtomically(path, async (sink) => {
    await sink.place(header, 0);
    // The last byte gives the file its length, whatever is placed.
    if (end > header.length) await sink.place(new Uint8Array(1), end - 1);
    await fill((name, offset, bytes) => sink.place(bytes, starts.get(name)! + offset));
  }, options.signal);
}

/** An entry that copies a tensor of an open file, byte for byte and piece by piece; while one is written, the next one is read. */
export function copiedTensor(file: TensorFile, name: string): TensorEntry {
  const info = file.tensors.get(name);
  if (!info) {
    throw new UserError(`${file.path} has no tensor named ${quoted(name)}.`);
  }
  return {
    name, dtype: info.dtype, shape: info.shape,
    data: async function* () {
      const { byteLength: size } = info;
      const buffers = [0, 1].map(() => new Uint8Array(Math.min(COPIED_AT_ONCE, size)));
      const read = (begin: number): Promise<Uint8Array> => {
        const piece = file.readBytes(name, Math.min(begin, size), Math.min(begin + COPIED_AT_ONCE, size), buffers[(begin / COPIED_AT_ONCE) % 2]);
        // Where writing a piece fails, nobody waits for the next one any more.
        piece.catch(() => undefined);
        return piece;
      };
      let next = read(0);
      for (let begin = 0; begin < size; begin += COPIED_AT_ONCE) {
        const piece = await next;
        next = read(begin + COPIED_AT_ONCE);
        yield piece;
      }
    },
  };
}

async function* pieces(entry: TensorEntry): AsyncIterable<Uint8Array> {
  if (typeof entry.data === 'function') {
    yield* entry.data();
  } else {
    yield entry.data;
  }
}

/** The official library sorts by the dtype's place in its list, last first, and compares names by their UTF-8 bytes. */
function officialOrder(a: TensorEntry, b: TensorEntry): number {
  return DTYPES.indexOf(b.dtype) - DTYPES.indexOf(a.dtype) || Buffer.compare(Buffer.from(a.name), Buffer.from(b.name));
}

function encodeHeader(path: string, entries: readonly TensorEntry[], metadata: ReadonlyMap<string, string>): Uint8Array {
  const members: string[] = [];
  if (metadata.size > 0) {
    const texts = [...metadata].map(([key, value]) => `${encodeText(path, key)}:${encodeText(path, value)}`);
    members.push(`"${METADATA_KEY}":{${texts.join(',')}}`);
  }
  const names = new Set([METADATA_KEY]);
  let offset = 0;
  for (const entry of entries) {
    if (names.has(entry.name)) {
      throw new UserError(`Cannot write ${path}: two tensors would be named ${quoted(entry.name)}.`);
    }
    names.add(entry.name);
    const end = offset + byteLength(path, entry);
    members.push(`${encodeText(path, entry.name)}:{"dtype":"${entry.dtype}","shape":[${entry.shape.join(',')}],"data_offsets":[${offset},${end}]}`);
    offset = end;
  }
  const json = Buffer.from(`{${members.join(',')}}`, 'utf8');
  const padded = Math.ceil(json.length / LENGTH_BYTES) * LENGTH_BYTES;
  if (padded > LARGEST_HEADER) {
    throw new UserError(`Cannot write ${path}: its header of ${padded} bytes would be longer than the format's limit of ${LARGEST_HEADER}.`);
  }
  const header = Buffer.alloc(LENGTH_BYTES + padded, ' ');
  header.writeBigUInt64LE(BigInt(padded), 0);
  json.copy(header, LENGTH_BYTES);
  return header;
}

/** JSON text of a string. Half a surrogate pair has no UTF-8, so a reader could not get it back. */
function encodeText(path: string, text: string): string {
  if (/\p{Surrogate}/u.test(text)) {
    throw new UserError(`Cannot write ${path}: the name or metadata text ${quoted(text)} is not valid Unicode.`);
  }
  return JSON.stringify(text);
}

function byteLength(path: string, { name, dtype, shape }: TensorEntry): number {
  const bits = elementCount(shape) * bitsOf(dtype);
  if (!Number.isSafeInteger(bits) || bits % 8 !== 0 || shape.some((dimension) => !Number.isSafeInteger(dimension) || dimension < 0)) {
    throw new UserError(`Cannot write ${path}: tensor ${quoted(name)}, ${dtype} of shape [${shape.join(', ')}], has no valid size.`);
  }
  return bits / 8;
}
