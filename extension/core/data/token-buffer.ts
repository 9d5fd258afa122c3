import { UserError } from '../errors';
import type { Tokenizer } from '../families/model';

/** 2^28 tokens are 1 GiB of memory, and days of model time. */
const MOST_TOKENS = 1 << 28;

/** Text or bytes to token ids. */
export interface Encoder {
  /** How a file's bytes become text; latin1 keeps each byte as a character. */
  readonly encoding: 'utf8' | 'latin1';
  encode(text: string): Int32Array;
  readonly unknownToken?: number;
}

/** The encoder of a model: its tokenizer for UTF-8 text, or raw bytes for vocabularies of 256 or 512. Throws UserError for others. */
export function chooseEncoder(path: string, tokenizer: Tokenizer | undefined, vocabularySize: number): Encoder {
  if (tokenizer) {
    return { encoding: 'utf8', encode: (text) => tokenizer.encode(text), unknownToken: tokenizer.unknownToken };
  }
  if (vocabularySize === 256 || vocabularySize === 512) {
    return { encoding: 'latin1', encode: (text) => Int32Array.from(Buffer.from(text, 'latin1')) };
  }
  throw new UserError(`${path} holds text, but the model's vocabulary of ${vocabularySize} has no character or byte tokenizer.`,
    'Give a safetensors file with token ids in a tensor input_ids [rows, tokens].');
}

/** Collects tokens piece by piece, and counts the unknown ones. */
export class TokenBuffer {
  private tokens = new Int32Array(1 << 12);
  private length = 0;
  unknown = 0;

  constructor(private readonly path: string, private readonly encoder: Encoder) {}

  /** Adds the tokens of a piece of text that does not end inside a character. */
  add(text: string): void {
    const piece = this.encoder.encode(text);
    const needed = this.length + piece.length;
    if (needed > MOST_TOKENS) {
      throw new UserError(`${this.path} has a sequence of more than ${MOST_TOKENS} tokens.`, 'Give a smaller part of the data.');
    }
    if (needed > this.tokens.length) {
      const larger = new Int32Array(Math.max(needed, 2 * this.tokens.length));
      larger.set(this.tokens.subarray(0, this.length));
      this.tokens = larger;
    }
    this.tokens.set(piece, this.length);
    this.length = needed;
    const { unknownToken } = this.encoder;
    if (unknownToken !== undefined) {
      this.unknown += piece.reduce((count, token) => count + (token === unknownToken ? 1 : 0), 0);
    }
  }

  /** The tokens so far; the buffer starts again empty, but keeps counting unknown ones. */
  take(): Int32Array {
    const taken = this.tokens.slice(0, this.length);
    this.length = 0;
    return taken;
  }

  /** Says how many characters were unknown, where any were. */
  notes(): string[] {
    return this.unknown === 0 ? []
      : [`${this.unknown} characters of ${this.path} are not in the model's vocabulary and became the unknown token ${this.encoder.unknownToken}.`];
  }
}
