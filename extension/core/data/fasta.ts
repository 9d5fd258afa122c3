import { createReadStream } from 'node:fs';
import { UserError } from '../errors';
import { readFailure } from '../formats/read-failure';
import type { TokenData, TokenRecord } from './data';
import type { Encoder } from './token-buffer';
import { TokenBuffer } from './token-buffer';

const NEWLINE = 0x0a, RETURN = 0x0d, HEADER = 0x3e, COMMENT = 0x3b;
/** Of a header line, what is kept as the record's name. */
const LONGEST_NAME = 200;

/**
 * Reads FASTA: records after `>` lines, upper-cased; `;` comment lines, blank lines, spaces and records without sequence are passed
 * over. Throws UserError for sequence before the first header and for files without records.
 */
export async function readFasta(path: string, encoder: Encoder): Promise<TokenData> {
  const reader = new FastaReader(path, new TokenBuffer(path, encoder));
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>) {
      reader.read(chunk);
    }
  } catch (cause) {
    throw readFailure(path, cause);
  }
  return reader.finish();
}

class FastaReader {
  private readonly records: TokenRecord[] = [];
  private line: 'start' | 'header' | 'comment' | 'sequence' = 'start';
  private name: string | undefined;

  constructor(private readonly path: string, private readonly buffer: TokenBuffer) {}

  read(chunk: Buffer): void {
    for (let at = 0; at < chunk.length;) {
      if (chunk[at] === NEWLINE || chunk[at] === RETURN) {
        this.line = 'start';
        at++;
        continue;
      }
      const end = endOfLine(chunk, at);
      this.readPart(chunk.subarray(at, end));
      at = end;
    }
  }

  finish(): TokenData {
    this.endRecord();
    if (this.records.length === 0) {
      throw new UserError(`${this.path} has no FASTA record with a sequence.`, 'Give a file of records that begin with a ">" line.');
    }
    return { path: this.path, kind: 'fasta', records: this.records, notes: this.buffer.notes() };
  }

  /** Reads a line, or as much of it as the chunk holds. */
  private readPart(part: Buffer): void {
    if (this.line === 'start') {
      this.line = part[0] === HEADER ? 'header' : part[0] === COMMENT ? 'comment' : 'sequence';
      if (this.line === 'header') {
        this.endRecord();
        this.name = '';
        part = part.subarray(1);
      }
    }
    if (this.line === 'header') {
      this.name = ((this.name ?? '') + part.toString('latin1')).slice(0, LONGEST_NAME);
    } else if (this.line === 'sequence') {
      const sequence = part.toString('latin1').replace(/\s+/g, '').toUpperCase();
      if (sequence !== '' && this.name === undefined) {
        throw new UserError(`${this.path} is not FASTA: it has text before its first ">" line.`, 'Give a file of records that begin with a ">" line, or rename it to .txt.');
      }
      this.buffer.add(sequence);
    }
  }

  private endRecord(): void {
    const tokens = this.buffer.take();
    if (tokens.length > 0) {
      this.records.push({ name: (this.name ?? '').trim() || `record ${this.records.length + 1}`, tokens });
    }
  }
}

function endOfLine(chunk: Buffer, from: number): number {
  const newline = chunk.indexOf(NEWLINE, from);
  const end = newline < 0 ? chunk.length : newline;
  const carriage = chunk.subarray(from, end).indexOf(RETURN);
  return carriage < 0 ? end : from + carriage;
}
