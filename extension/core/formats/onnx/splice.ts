import * as fs from 'node:fs/promises';
import type { FileSink } from '../../io/atomic-file';
import { readFailure } from '../read-failure';
import type { Span } from './structure';

/** Bytes [start, end) of a message's content are replaced; start = end inserts. */
export interface Edit {
  /** The innermost message that the bytes belong to. */
  readonly parent: Span;
  readonly start: number;
  readonly end: number;
  readonly bytes: Uint8Array;
}

/** A replacement anywhere in a file, regardless of messages. */
export interface Patch { readonly start: number; readonly end: number; readonly bytes: Uint8Array }

/** Read and written at a time. */
const CHUNK = 1 << 22;

/**
 * The patches that carry out edits: the edits themselves, and the lengths of every message around them whose size changes.
 * Sorted; edits at one place keep their order, but what is added to an inner message that ends there comes before what is added to an outer one.
 * Throws where edits overlap.
 */
export function patches(edits: readonly Edit[]): Patch[] {
  /** Change of each touched message's content, in bytes. */
  const deltas = new Map<Span, number>();
  const touched = new Set<Span>();
  for (const { parent, start, end, bytes } of edits) {
    if (start < parent.start || end > parent.end || start > end) throw new Error(`An edit of [${start}, ${end}) lies outside its message.`);
    deltas.set(parent, (deltas.get(parent) ?? 0) + bytes.length - (end - start));
    for (let span: Span | undefined = parent; span && !touched.has(span); span = span.parent) touched.add(span);
  }
  // Inner messages first: their lengths may take more or fewer bytes, which counts in the outer ones.
  const inOrder = [...touched].sort((a, b) => depth(b) - depth(a));
  const result: (Patch & { readonly depth: number })[] = edits.map(({ parent, start, end, bytes }) => ({ start, end, bytes, depth: depth(parent) }));
  for (const span of inOrder) {
    const delta = deltas.get(span) ?? 0;
    if (!span.parent || delta === 0) continue;
    const length = encodeVarint(span.end - span.start + delta);
    result.push({ start: span.lengthAt, end: span.start, bytes: length, depth: depth(span.parent) });
    const grown = delta + length.length - (span.start - span.lengthAt);
    deltas.set(span.parent, (deltas.get(span.parent) ?? 0) + grown);
  }
  result.sort((a, b) => a.start - b.start || a.end - b.end || b.depth - a.depth);
  result.forEach((patch, i) => {
    if (i > 0 && patch.start < result[i - 1].end) throw new Error(`Two edits overlap at byte ${patch.start}.`);
  });
  return result;
}

/** Size of a file of `size` bytes once patched. */
export const patchedSize = (size: number, list: readonly Patch[]): number =>
  list.reduce((sum, { start, end, bytes }) => sum + bytes.length - (end - start), size);

/** Writes a file with sorted patches carried out; every other byte is copied as it is, in constant memory. */
export async function copyPatched(source: string, list: readonly Patch[], sink: FileSink, onBytes?: (done: number, of: number) => void): Promise<void> {
  const handle = await fs.open(source, 'r').catch((cause: unknown) => { throw readFailure(source, cause); });
  try {
    const { size } = await handle.stat();
    const total = patchedSize(size, list);
    const buffers = [Buffer.allocUnsafeSlow(Math.min(CHUNK, size)), Buffer.allocUnsafeSlow(Math.min(CHUNK, size))];
    let done = 0;
    let writing: Promise<void> = Promise.resolve();
    let turn = 0;
    const emit = async (bytes: Uint8Array): Promise<void> => {
      await writing;
      done += bytes.length;
      onBytes?.(done, total);
      writing = sink.write(bytes);
      // A failure is thrown by the next wait, not as an unhandled rejection.
      writing.catch(() => undefined);
    };
    const copy = async (from: number, to: number): Promise<void> => {
      for (let at = from; at < to;) {
        // While one buffer is written, the other is filled.
        const buffer = buffers[(turn ^= 1)];
        const { bytesRead } = await handle.read(buffer, 0, Math.min(buffer.length, to - at), at).catch((cause: unknown) => { throw readFailure(source, cause); });
        if (bytesRead === 0) throw new Error(`${source} became shorter while it was copied.`);
        await emit(buffer.subarray(0, bytesRead));
        at += bytesRead;
      }
    };
    let at = 0;
    for (const { start, end, bytes } of list) {
      await copy(at, start);
      if (bytes.length > 0) await emit(bytes);
      at = end;
    }
    await copy(at, size);
    await writing;
  } finally {
    await handle.close();
  }
}

function depth(span: Span): number {
  let levels = 0;
  for (let outer = span.parent; outer; outer = outer.parent) levels++;
  return levels;
}

/** Base-128 encoding of a number up to 2^53. */
export function encodeVarint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 128) {
    bytes.push((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  bytes.push(rest);
  return Uint8Array.from(bytes);
}

/** A Bytes field: tag, length, content. */
export function encodeField(number: number, content: Uint8Array): Uint8Array {
  return Buffer.concat([encodeHeader(number, content.length), content]);
}

/** Tag and length of a Bytes field. */
export function encodeHeader(number: number, length: number): Uint8Array {
  return Buffer.concat([encodeVarint(number * 8 + 2), encodeVarint(length)]);
}
