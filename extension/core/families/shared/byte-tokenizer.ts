import type { Tokenizer } from '../model';

/** Tokens are the UTF-8 bytes of a text; no special tokens are added. `vocabularySize` is at least 256. */
export function byteTokenizer(vocabularySize: number): Tokenizer {
  return { vocabularySize, encode: (text) => Int32Array.from(Buffer.from(text, 'utf8')) };
}
