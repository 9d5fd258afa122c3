import type { Tokenizer } from '../model';

/**
 * HyenaDNA's character tokenizer: [CLS] 0, [SEP] 1, [BOS] 2, [MASK] 3, [PAD] 4, [RESERVED] 5, [UNK] 6, A 7, C 8, G 9, T 10, N 11.
 * Case sensitive: lower-case (soft-masked) bases become [UNK], so FASTA readers upper-case first. Adds no special tokens.
 */
export const HYENADNA_TOKENIZER: Tokenizer = { vocabularySize: 12, unknownToken: 6, encode };

const UNKNOWN = 6;
const TOKENS: Readonly<Record<string, number>> = { A: 7, C: 8, G: 9, T: 10, N: 11 };
const BY_CODE = new Int32Array(128).map((_, code) => TOKENS[String.fromCharCode(code)] ?? UNKNOWN);

/** One token per character, that is per Unicode code point. */
function encode(text: string): Int32Array {
  const tokens = new Int32Array(text.length);
  let length = 0;
  for (let at = 0; at < text.length; at++, length++) {
    const code = text.codePointAt(at) ?? 0;
    tokens[length] = code < 128 ? BY_CODE[code] : UNKNOWN;
    if (code > 0xffff) {
      at++;
    }
  }
  return tokens.subarray(0, length);
}
