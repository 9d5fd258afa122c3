import * as fs from 'node:fs';
import { UserError } from '../../errors';
import { readFailure } from '../read-failure';
import type { ByteSource } from './wire';

/** First read at a place that was jumped to: enough for a tensor's header. */
const JUMP_BYTES = 4096;
/** Reads that go on where the last one ended. */
const STREAM_BYTES = 1 << 18;
/** Largest single read of the operating system call. */
const LARGEST_READ = 1 << 30;

/**
 * Random access to a file of any size through one small window, for parsers that read structure and jump over payloads.
 * Reads are synchronous: a scan touches a few kilobytes for each tensor, and the parser stays an ordinary recursive function.
 */
export class PagedFile implements ByteSource {
  readonly size: number;
  private window = Buffer.alloc(0);
  private windowStart = 0;

  private constructor(readonly path: string, private readonly descriptor: number) {
    this.size = fs.fstatSync(descriptor).size;
  }

  /** Throws UserError when the file cannot be opened. */
  static open(path: string): PagedFile {
    try {
      return new PagedFile(path, fs.openSync(path, 'r'));
    } catch (cause) {
      throw readFailure(path, cause);
    }
  }

  /** The byte at an offset below `size`. */
  byte(offset: number): number {
    const at = offset - this.windowStart;
    if (at >= 0 && at < this.window.length) return this.window[at];
    this.load(offset, 1);
    return this.window[offset - this.windowStart];
  }

  /** A copy of the bytes [start, end), which lie inside the file. */
  bytes(start: number, end: number): Buffer {
    const result = Buffer.allocUnsafeSlow(end - start);
    const at = start - this.windowStart;
    if (at >= 0 && end - this.windowStart <= this.window.length) {
      this.window.copy(result, 0, at, end - this.windowStart);
    } else if (end - start <= JUMP_BYTES && end > start) {
      this.load(start, end - start);
      this.window.copy(result, 0, start - this.windowStart, end - this.windowStart);
    } else {
      this.readInto(result, start);
    }
    return result;
  }

  text(start: number, end: number): string {
    const at = start - this.windowStart;
    const inWindow = at >= 0 && end - this.windowStart <= this.window.length;
    return inWindow ? this.window.toString('utf8', at, end - this.windowStart) : this.bytes(start, end).toString('utf8');
  }

  /** Fills `target` from `position` on, past the window; refuses when the file has become shorter. */
  readInto(target: Uint8Array, position: number): void {
    for (let done = 0; done < target.length;) {
      const count = this.read(target, done, Math.min(LARGEST_READ, target.length - done), position + done);
      if (count === 0) throw this.shorter(position + done);
      done += count;
    }
  }

  close(): void {
    fs.closeSync(this.descriptor);
  }

  private load(offset: number, atLeast: number): void {
    const follows = offset === this.windowStart + this.window.length && this.window.length > 0;
    const wanted = Math.min(this.size - offset, Math.max(atLeast, follows ? STREAM_BYTES : JUMP_BYTES));
    const window = Buffer.allocUnsafeSlow(wanted);
    let filled = 0;
    while (filled < wanted) {
      const count = this.read(window, filled, wanted - filled, offset + filled);
      if (count === 0) break;
      filled += count;
    }
    if (filled < atLeast) throw this.shorter(offset + filled);
    this.window = window.subarray(0, filled);
    this.windowStart = offset;
  }

  private read(target: Uint8Array, at: number, length: number, position: number): number {
    try {
      return fs.readSync(this.descriptor, target, at, length, position);
    } catch (cause) {
      throw readFailure(this.path, cause);
    }
  }

  private shorter(offset: number): UserError {
    return new UserError(`Cannot read ${this.path}: it ended at byte ${offset} while it was open, so another program has changed it.`, 'Open the file again.');
  }
}
