import { crc32, deflateRawSync } from 'node:zlib';

export interface ZipFile { readonly name: string; readonly content: Uint8Array; readonly compressed?: boolean }
export interface ZipOptions {
  /** 64-bit sizes and offsets everywhere. */
  readonly zip64?: boolean;
  /** Sizes in a descriptor after the data, and zeros in the local header, as PyTorch writes them. */
  readonly descriptors?: boolean;
  /** Data begin at a multiple of 64 bytes, by an extra field. */
  readonly aligned?: boolean;
  readonly comment?: string;
}

/** A ZIP file, written by its specification (PKWARE APPNOTE 6.3). */
export function zip(files: readonly ZipFile[], { zip64 = false, descriptors = true, aligned = true, comment = '' }: ZipOptions = {}): Buffer {
  const pieces: Buffer[] = [];
  let at = 0;
  const put = (bytes: Buffer): void => {
    pieces.push(bytes);
    at += bytes.length;
  };
  const directory: Buffer[] = [];
  for (const { name, content, compressed = false } of files) {
    const data = compressed ? deflateRawSync(content) : Buffer.from(content);
    const header = { flags: descriptors ? 0x0808 : 0x0800, method: compressed ? 8 : 0, crc: crc32(content), stored: data.length, size: content.length };
    const headerAt = at;
    const padding = aligned ? (64 - ((at + 30 + name.length + 4) % 64)) % 64 : 0;
    const extra = aligned ? Buffer.concat([Buffer.from('FB'), u16(padding), Buffer.alloc(padding, 'Z')]) : Buffer.alloc(0);
    const local = descriptors ? { ...header, crc: 0, stored: 0, size: 0 } : header;
    put(Buffer.concat([u32(0x04034b50), common(local, name, extra), Buffer.from(name), extra]));
    put(data);
    if (descriptors) put(Buffer.concat([u32(0x08074b50), u32(header.crc), zip64 ? u64(header.stored) : u32(header.stored), zip64 ? u64(header.size) : u32(header.size)]));
    const wide = zip64 ? Buffer.concat([u16(1), u16(24), u64(header.size), u64(header.stored), u64(headerAt)]) : Buffer.alloc(0);
    const listed = zip64 ? { ...header, stored: 0xffffffff, size: 0xffffffff } : header;
    directory.push(Buffer.concat([u32(0x02014b50), u16(0), common(listed, name, wide), u16(0), u16(0), u16(0), u32(0), u32(zip64 ? 0xffffffff : headerAt), Buffer.from(name), wide]));
  }
  const directoryAt = at;
  put(Buffer.concat(directory));
  const size = at - directoryAt;
  if (zip64) {
    const end64At = at;
    put(Buffer.concat([u32(0x06064b50), u64(44), u16(45), u16(45), u32(0), u32(0), u64(files.length), u64(files.length), u64(size), u64(directoryAt)]));
    put(Buffer.concat([u32(0x07064b50), u32(0), u64(end64At), u32(1)]));
  }
  const narrow = (value: number, largest: number): number => (zip64 ? largest : value);
  put(Buffer.concat([
    u32(0x06054b50), u16(0), u16(0), u16(narrow(files.length, 0xffff)), u16(narrow(files.length, 0xffff)), u32(narrow(size, 0xffffffff)), u32(narrow(directoryAt, 0xffffffff)),
    u16(comment.length), Buffer.from(comment),
  ]));
  return Buffer.concat(pieces);
}

interface Header { flags: number; method: number; crc: number; stored: number; size: number }
/** The fields that local headers and the directory have in common, from the version needed to the extra field's length. */
function common({ flags, method, crc, stored, size }: Header, name: string, extra: Buffer): Buffer {
  return Buffer.concat([u16(45), u16(flags), u16(method), u16(0), u16(0), u32(crc), u32(stored), u32(size), u16(Buffer.byteLength(name)), u16(extra.length)]);
}

const u16 = (value: number): Buffer => { const b = Buffer.alloc(2); b.writeUInt16LE(value); return b; };
const u32 = (value: number): Buffer => { const b = Buffer.alloc(4); b.writeUInt32LE(value); return b; };
const u64 = (value: number): Buffer => { const b = Buffer.alloc(8); b.writeBigUInt64LE(BigInt(value)); return b; };
