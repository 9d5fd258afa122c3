import type * as fs from 'node:fs/promises';
import { readAt } from '../ranged-read';
import type { Refuse } from './refusal';

export interface ZipEntry {
  readonly name: string;
  /** Size of the content, and of the data in the archive: the same where nothing is compressed. */
  readonly size: number;
  readonly storedSize: number;
  readonly compressed: boolean;
  readonly crc: number;
  /** Offset of the entry's local header. */
  readonly headerAt: number;
}

export interface ZipArchive {
  readonly entries: ReadonlyMap<string, ZipEntry>;
  /** Offset of the list of entries, where their data end. */
  readonly dataEnd: number;
}

const END_SIGNATURE = 0x06054b50, END64_SIGNATURE = 0x06064b50, LOCATOR64_SIGNATURE = 0x07064b50, ENTRY_SIGNATURE = 0x02014b50, LOCAL_SIGNATURE = 0x04034b50;
const END_BYTES = 22, LOCATOR64_BYTES = 20, END64_BYTES = 56, ENTRY_BYTES = 46, LOCAL_BYTES = 30;
const LONGEST_COMMENT = 0xffff;
/** More entries than any checkpoint has storages. */
const MOST_ENTRIES = 200_000;
const LARGEST_DIRECTORY = 64 << 20;
const ENCRYPTED = 1;
const STORED = 0;
const SAVE_AGAIN = 'Save the checkpoint again with torch.save.';

/**
 * Reads the list of entries at the end of a ZIP file (with ZIP64), which alone gives sizes that can be trusted. Refuses encrypted
 * entries, entries that overlap, and lists that do not fit the file.
 */
export async function readZip(handle: fs.FileHandle, file: string, fileSize: number, refuse: Refuse): Promise<ZipArchive> {
  const { count, size, offset, endAt } = await findDirectory(handle, file, fileSize, refuse);
  if (count > MOST_ENTRIES || size > LARGEST_DIRECTORY) {
    refuse(endAt, `the archive lists ${count} entries in ${size} bytes, more than any checkpoint has`);
  }
  if (offset + size > endAt) {
    refuse(endAt, `the archive's list of entries would reach from byte ${offset} to ${offset + size}, beyond its own end record: the file is truncated or damaged`);
  }
  const directory = Buffer.alloc(size);
  await readAt(handle, file, directory, offset);
  const entries = new Map<string, ZipEntry>();
  let at = 0;
  for (let i = 0; i < count; i++) {
    const { entry, end } = readEntry(directory, at, offset, refuse);
    if (entries.has(entry.name)) {
      refuse(offset + at, `the archive lists ${shown(entry.name)} twice`);
    }
    entries.set(entry.name, entry);
    at = end;
  }
  refuseOverlap([...entries.values()], offset, refuse);
  return { entries, dataEnd: offset };
}

/** Offset of an entry's data, from its local header. Refuses compressed data, which torch.save never writes. */
export async function dataPosition(handle: fs.FileHandle, file: string, archive: ZipArchive, entry: ZipEntry, refuse: Refuse): Promise<number> {
  if (entry.compressed) {
    refuse(entry.headerAt, `${shown(entry.name)} is compressed, which torch.save never does`, SAVE_AGAIN);
  }
  const nameLength = Buffer.byteLength(entry.name);
  const header = Buffer.alloc(LOCAL_BYTES + nameLength);
  await readAt(handle, file, header, entry.headerAt);
  if (header.readUInt32LE(0) !== LOCAL_SIGNATURE || header.readUInt16LE(8) !== STORED || header.readUInt16LE(26) !== nameLength || header.toString('utf8', LOCAL_BYTES) !== entry.name) {
    refuse(entry.headerAt, `the header of ${shown(entry.name)} contradicts the archive's list of entries`);
  }
  const position = entry.headerAt + header.length + header.readUInt16LE(28);
  if (position + entry.size > archive.dataEnd) {
    refuse(entry.headerAt, `the data of ${shown(entry.name)} would reach to byte ${position + entry.size}, into the archive's list of entries`);
  }
  return position;
}

interface Directory { readonly count: number; readonly size: number; readonly offset: number; /** Offset of the record that says so. */ readonly endAt: number }

async function findDirectory(handle: fs.FileHandle, file: string, fileSize: number, refuse: Refuse): Promise<Directory> {
  const tailAt = Math.max(0, fileSize - END_BYTES - LONGEST_COMMENT);
  const tail = Buffer.alloc(fileSize - tailAt);
  await readAt(handle, file, tail, tailAt);
  let at = tail.length - END_BYTES;
  while (at >= 0 && !(tail.readUInt32LE(at) === END_SIGNATURE && tail.readUInt16LE(at + 20) === tail.length - at - END_BYTES)) {
    at--;
  }
  if (at < 0) {
    return refuse(fileSize, 'the archive has no list of entries at its end: the file is truncated', 'Copy or download the file again.');
  }
  const endAt = tailAt + at;
  const directory = { count: tail.readUInt16LE(at + 10), size: tail.readUInt32LE(at + 12), offset: tail.readUInt32LE(at + 16), endAt };
  const locator = at - LOCATOR64_BYTES;
  if (locator < 0 || tail.readUInt32LE(locator) !== LOCATOR64_SIGNATURE) {
    return directory;
  }
  const end64At = safe(tail.readBigUInt64LE(locator + 8), tailAt + locator, refuse);
  if (end64At + END64_BYTES > tailAt + locator) {
    refuse(tailAt + locator, 'the archive\'s ZIP64 record lies beyond the place that names it');
  }
  const end64 = Buffer.alloc(END64_BYTES);
  await readAt(handle, file, end64, end64At);
  if (end64.readUInt32LE(0) !== END64_SIGNATURE) {
    refuse(end64At, 'the archive\'s ZIP64 record is damaged');
  }
  const number = (offset: number): number => safe(end64.readBigUInt64LE(offset), end64At, refuse);
  return { count: number(32), size: number(40), offset: number(48), endAt: end64At };
}

function readEntry(directory: Buffer, at: number, base: number, refuse: Refuse): { entry: ZipEntry; end: number } {
  const short = (): never => refuse(base + at, 'the archive\'s list of entries is damaged');
  if (at + ENTRY_BYTES > directory.length || directory.readUInt32LE(at) !== ENTRY_SIGNATURE) {
    return short();
  }
  const nameEnd = at + ENTRY_BYTES + directory.readUInt16LE(at + 28);
  const extraEnd = nameEnd + directory.readUInt16LE(at + 30);
  const end = extraEnd + directory.readUInt16LE(at + 32);
  if (end > directory.length) {
    return short();
  }
  const name = directory.toString('utf8', at + ENTRY_BYTES, nameEnd);
  if ((directory.readUInt16LE(at + 8) & ENCRYPTED) !== 0) {
    refuse(base + at, `${shown(name)} is encrypted`, SAVE_AGAIN);
  }
  const wide = wideFields(directory.subarray(nameEnd, extraEnd));
  const field = (offset: number): number => {
    const narrow = directory.readUInt32LE(at + offset);
    return narrow === 0xffffffff ? safe(wide.shift() ?? short(), base + at, refuse) : narrow;
  };
  // In the order in which a ZIP64 extra field holds those that do not fit in 32 bits.
  const size = field(24);
  const storedSize = field(20);
  const headerAt = field(42);
  const compressed = directory.readUInt16LE(at + 10) !== STORED || size !== storedSize;
  return { entry: { name, size, storedSize, compressed, crc: directory.readUInt32LE(at + 16), headerAt }, end };
}

/** 64-bit values of an entry's ZIP64 extra field, in order. */
function wideFields(extra: Buffer): bigint[] {
  for (let at = 0; at + 4 <= extra.length;) {
    const end = at + 4 + extra.readUInt16LE(at + 2);
    if (extra.readUInt16LE(at) === 1 && end <= extra.length) {
      const values: bigint[] = [];
      for (let value = at + 4; value + 8 <= end; value += 8) {
        values.push(extra.readBigUInt64LE(value));
      }
      return values;
    }
    at = end;
  }
  return [];
}

/** Entries that share bytes make a small file stand for an enormous one. */
function refuseOverlap(entries: ZipEntry[], dataEnd: number, refuse: Refuse): void {
  entries.sort((a, b) => a.headerAt - b.headerAt);
  entries.forEach((entry, i) => {
    const end = entry.headerAt + LOCAL_BYTES + Buffer.byteLength(entry.name) + entry.storedSize;
    const limit = i + 1 < entries.length ? entries[i + 1].headerAt : dataEnd;
    if (end > limit) {
      refuse(entry.headerAt, `${shown(entry.name)} would reach to byte ${end}, into what begins at byte ${limit}`);
    }
  });
}

function safe(value: bigint, at: number, refuse: Refuse): number {
  return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : refuse(at, `the archive gives a size or offset of ${value}`);
}

const shown = (name: string): string => JSON.stringify(name.length > 80 ? `${name.slice(0, 77)}...` : name);
