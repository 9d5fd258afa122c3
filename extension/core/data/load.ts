import { createReadStream } from 'node:fs';
import * as path from 'node:path';
import { UserError } from '../errors';
import type { Tokenizer } from '../families/model';
import { firstBytes } from '../formats/first-bytes';
import { looksLike } from '../formats/looks-like';
import { openTensorFile } from '../formats/open';
import { readFailure } from '../formats/read-failure';
import type { TokenData } from './data';
import { readFasta } from './fasta';
import type { Encoder } from './token-buffer';
import { chooseEncoder, TokenBuffer } from './token-buffer';
import { readTokens } from './tokens';

const FASTA = new Set(['.fa', '.fasta', '.fna', '.fas', '.ffn']);
const INPUT_IDS = 'input_ids';

/**
 * Reads a data file, by extension: FASTA, safetensors with `input_ids`, or text for everything else. Text goes through the model's
 * tokenizer; models without one whose vocabulary is 256 or 512 take raw bytes. Throws UserError that says what is wrong with the file.
 */
export async function loadData(file: string, tokenizer: Tokenizer | undefined, vocabularySize: number): Promise<TokenData> {
  const absolute = path.resolve(file);
  const extension = path.extname(absolute).toLowerCase();
  if (extension === '.safetensors') {
    return loadTensors(absolute, vocabularySize);
  }
  const guess = looksLike(await firstBytes(absolute), absolute);
  if (guess?.kind === 'empty') {
    throw new UserError(`${absolute} is empty.`, 'Give a file with sequences.');
  }
  if (guess && guess.kind !== 'text' && guess.kind !== 'sharded-index') {
    throw new UserError(`${absolute} cannot be read as data: it looks like ${guess.description}.`, 'Give FASTA, text, or safetensors with input_ids; unpack archives first.');
  }
  const encoder = chooseEncoder(absolute, tokenizer, vocabularySize);
  if (FASTA.has(extension)) {
    return readFasta(absolute, encoder);
  }
  if (tokenizer && !guess) {
    throw new UserError(`${absolute} cannot be read as data: it is not text.`, 'Give FASTA, text, or safetensors with input_ids.');
  }
  return loadText(absolute, encoder);
}

async function loadTensors(file: string, vocabularySize: number): Promise<TokenData> {
  const tensors = await openTensorFile(file);
  try {
    const { ids, batch, length } = await readTokens(tensors, INPUT_IDS, vocabularySize);
    const records = Array.from({ length: batch }, (_, row) => ({ name: `row ${row}`, tokens: ids.subarray(row * length, (row + 1) * length) }));
    return { path: file, kind: 'safetensors', records, notes: [] };
  } finally {
    await tensors.close();
  }
}

async function loadText(file: string, encoder: Encoder): Promise<TokenData> {
  const buffer = new TokenBuffer(file, encoder);
  // With an encoding, the stream holds back a character that the end of a chunk cuts.
  const stream = createReadStream(file, { highWaterMark: 1 << 20, encoding: encoder.encoding });
  try {
    for await (const text of stream as AsyncIterable<string>) {
      buffer.add(text);
    }
  } catch (cause) {
    throw readFailure(file, cause);
  }
  return { path: file, kind: 'text', records: [{ name: path.basename(file), tokens: buffer.take() }], notes: buffer.notes() };
}
