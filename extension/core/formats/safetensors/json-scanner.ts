import type { Refuse } from './refusal';

/** An unsigned 64-bit integer: a number up to 2^53 - 1, a bigint above. */
export type Unsigned = number | bigint;
export const LARGEST_UNSIGNED = 0xffffffffffffffffn;

/** Nesting beyond this many levels is refused, as the official parser does. */
const DEEPEST_NESTING = 127;

const QUOTE = 0x22, BACKSLASH = 0x5c, OPEN_BRACE = 0x7b, CLOSE_BRACE = 0x7d, OPEN_BRACKET = 0x5b, CLOSE_BRACKET = 0x5d;
const COMMA = 0x2c, COLON = 0x3a, MINUS = 0x2d, PLUS = 0x2b, POINT = 0x2e, ZERO = 0x30, NINE = 0x39, LOWER_U = 0x75;
const ESCAPES: Readonly<Record<number, number>> = { 0x22: 0x22, 0x5c: 0x5c, 0x2f: 0x2f, 0x62: 8, 0x66: 12, 0x6e: 10, 0x72: 13, 0x74: 9 };

/**
 * A strict pull parser for JSON in UTF-8. The caller says what it expects next; anything else is refused with its byte offset.
 * Needed because JSON.parse takes 1.0, 1e0 and -0 for integers, keeps the last of duplicate keys and rounds above 2^53.
 * It keeps nothing but its position, so skipped values cost no memory.
 */
export class JsonScanner {
  private readonly buffer: Buffer;
  private position = 0;
  private depth = 0;

  /** `bytes` must be valid UTF-8; `base` is their offset in the file; `subject` is what messages call them. */
  constructor(private readonly bytes: Uint8Array, private readonly base: number, private readonly refuse: Refuse, private readonly subject = 'the header') {
    this.buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  /** Offset in the file of the next byte that is not whitespace. */
  get offset(): number {
    this.skipWhitespace();
    return this.base + this.position;
  }

  fail(reason: string, offset = this.offset): never {
    return this.refuse('InvalidHeaderDeserialization', offset, `${this.subject} ${reason}`);
  }

  /** Reads an object; `member` is called after each key and must read the value. */
  object(what: string, member: (key: string, offset: number) => void): void {
    this.open(OPEN_BRACE, what);
    if (!this.closes(CLOSE_BRACE)) {
      do {
        const offset = this.offset;
        const key = this.string('a key in double quotes');
        this.take(COLON, 'a colon after the key');
        member(key, offset);
      } while (this.separates(CLOSE_BRACE));
    }
    this.depth--;
  }

  /** Reads an array; `element` is called for each element and must read it. */
  array(what: string, element: (index: number) => void): void {
    this.open(OPEN_BRACKET, what);
    if (!this.closes(CLOSE_BRACKET)) {
      let index = 0;
      do {
        element(index++);
      } while (this.separates(CLOSE_BRACKET));
    }
    this.depth--;
  }

  startsArray(): boolean {
    return this.peek() === OPEN_BRACKET;
  }

  /** Reads `null` where it is next, and says whether it was. */
  tryNull(): boolean {
    if (this.peek() !== 0x6e) {
      return false;
    }
    this.word('null');
    return true;
  }

  string(what: string): string {
    const [start, end, escaped] = this.stringSpan(what);
    if (!escaped) {
      return this.text(start, end);
    }
    // Escapes are never shorter than the UTF-8 of what they stand for.
    const decoded = Buffer.allocUnsafe(end - start);
    let length = 0;
    for (let at = start; at < end; at++) {
      if (this.bytes[at] !== BACKSLASH) {
        decoded[length++] = this.bytes[at];
      } else if (this.bytes[++at] !== LOWER_U) {
        decoded[length++] = ESCAPES[this.bytes[at]];
      } else {
        let code = this.hex(at + 1);
        at += 4;
        if (code >= 0xd800 && code < 0xdc00) {
          code = 0x10000 + ((code - 0xd800) << 10) + (this.hex(at + 3) - 0xdc00);
          at += 6;
        }
        length = putUtf8(decoded, length, code);
      }
    }
    return decoded.toString('utf8', 0, length);
  }

  unsigned(what: string): Unsigned {
    const offset = this.offset;
    const [start, end, integer] = this.numberSpan(what);
    if (!integer || this.bytes[start] === MINUS) {
      return this.fail(`has ${this.excerpt(start, end)} where ${what} must be a whole number without sign, fraction or exponent`, offset);
    }
    if (end - start <= 15) {
      let value = 0;
      for (let at = start; at < end; at++) {
        value = value * 10 + this.bytes[at] - ZERO;
      }
      return value;
    }
    const value = end - start <= 20 ? BigInt(this.text(start, end)) : LARGEST_UNSIGNED + 1n;
    if (value > LARGEST_UNSIGNED) {
      return this.fail(`has ${this.excerpt(start, end)} where ${what} must fit in 64 bits`, offset);
    }
    return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value;
  }

  /** Reads any value, keeping nothing of it. */
  skipValue(): void {
    const next = this.peek();
    if (next === OPEN_BRACE) {
      this.object('an object', () => this.skipValue());
    } else if (next === OPEN_BRACKET) {
      this.array('an array', () => this.skipValue());
    } else if (next === QUOTE) {
      this.stringSpan('a string');
    } else if (next === 0x74) {
      this.word('true');
    } else if (next === 0x66) {
      this.word('false');
    } else if (next === 0x6e) {
      this.word('null');
    } else {
      const offset = this.offset;
      const [start, end, integer] = this.numberSpan('a value');
      if ((!integer || end - start > 300) && !Number.isFinite(Number(this.text(start, end)))) {
        this.fail(`has a number out of range, ${this.excerpt(start, end)}`, offset);
      }
    }
  }

  /** Refuses anything but whitespace after the value. */
  end(): void {
    this.skipWhitespace();
    if (this.position < this.bytes.length) {
      this.fail('goes on after its JSON value');
    }
  }

  private skipWhitespace(): void {
    const { bytes } = this;
    let at = this.position;
    while (at < bytes.length && (bytes[at] === 0x20 || bytes[at] === 0x0a || bytes[at] === 0x0d || bytes[at] === 0x09)) {
      at++;
    }
    this.position = at;
  }

  private peek(): number | undefined {
    this.skipWhitespace();
    return this.bytes[this.position];
  }

  private expected(what: string): never {
    const found = this.bytes[this.position];
    if (found === undefined) {
      return this.fail(`ends where ${what} is expected`);
    }
    const shown = found > 0x20 && found < 0x7f ? String.fromCharCode(found) : `byte 0x${found.toString(16).padStart(2, '0')}`;
    return this.fail(`has ${shown} where ${what} is expected`);
  }

  private take(byte: number, what: string): void {
    if (this.peek() !== byte) {
      this.expected(what);
    }
    this.position++;
  }

  private open(bracket: number, what: string): void {
    this.take(bracket, what);
    if (++this.depth > DEEPEST_NESTING) {
      this.position--;
      this.fail(`nests its JSON more than ${DEEPEST_NESTING} levels deep`);
    }
  }

  private closes(bracket: number): boolean {
    if (this.peek() !== bracket) {
      return false;
    }
    this.position++;
    return true;
  }

  private separates(bracket: number): boolean {
    if (this.closes(bracket)) {
      return false;
    }
    this.take(COMMA, bracket === CLOSE_BRACE ? 'a comma or }' : 'a comma or ]');
    return true;
  }

  private word(word: string): void {
    for (let i = 0; i < word.length; i++) {
      if (this.bytes[this.position + i] !== word.charCodeAt(i)) {
        this.expected(word);
      }
    }
    this.position += word.length;
  }

  /** Checks a string and moves past it: [first byte, end, whether it has escapes]. */
  private stringSpan(what: string): [number, number, boolean] {
    this.take(QUOTE, what);
    const { bytes } = this;
    const start = this.position;
    let escaped = false;
    let at = start;
    for (; bytes[at] !== QUOTE; at++) {
      if (at >= bytes.length) {
        this.position = at;
        this.fail('ends inside a string');
      }
      if (bytes[at] < 0x20) {
        this.fail('has a control character inside a string', this.base + at);
      }
      if (bytes[at] === BACKSLASH) {
        escaped = true;
        at = this.checkEscape(at);
      }
    }
    this.position = at + 1;
    return [start, at, escaped];
  }

  /** Checks the escape at `at`; returns the index of its last byte. */
  private checkEscape(at: number): number {
    const kind = this.bytes[at + 1];
    if (kind !== LOWER_U) {
      return kind in ESCAPES ? at + 1 : this.fail('has an unknown escape inside a string', this.base + at);
    }
    const code = this.hex(at + 2);
    const surrogate = code >= 0xd800 && code < 0xe000;
    const pairs = surrogate && code < 0xdc00 && this.bytes[at + 6] === BACKSLASH && this.bytes[at + 7] === LOWER_U;
    const low = pairs ? this.hex(at + 8) : 0;
    if (code < 0 || low < 0) {
      return this.fail('has a \\u escape without four hexadecimal digits', this.base + at);
    }
    if (!surrogate) {
      return at + 5;
    }
    return low >= 0xdc00 && low < 0xe000 ? at + 11 : this.fail('has half of a surrogate pair inside a string', this.base + at);
  }

  /** Value of the four hexadecimal digits at `at`; -1 where they are not. */
  private hex(at: number): number {
    let value = 0;
    for (let i = at; i < at + 4; i++) {
      const byte = this.bytes[i];
      const lower = byte | 0x20;
      const digit = byte >= ZERO && byte <= NINE ? byte - ZERO : lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
      if (digit < 0) {
        return -1;
      }
      value = value * 16 + digit;
    }
    return value;
  }

  /** Checks a number and moves past it: [first byte, end, whether it has neither fraction nor exponent]. */
  private numberSpan(what: string): [number, number, boolean] {
    const first = this.peek();
    const start = this.position;
    if (first !== MINUS && !this.digitAt(start)) {
      this.expected(what);
    }
    let at = first === MINUS ? start + 1 : start;
    let integer = true;
    const leadingZero = this.bytes[at] === ZERO;
    at = this.digits(at);
    if (leadingZero && at > start + (first === MINUS ? 2 : 1)) {
      this.fail('has a number with a leading zero', this.base + start);
    }
    if (this.bytes[at] === POINT) {
      integer = false;
      at = this.digits(at + 1);
    }
    if ((this.bytes[at] | 0x20) === 0x65) {
      integer = false;
      const sign = this.bytes[at + 1];
      at = this.digits(sign === PLUS || sign === MINUS ? at + 2 : at + 1);
    }
    this.position = at;
    return [start, at, integer];
  }

  private digitAt(at: number): boolean {
    return this.bytes[at] >= ZERO && this.bytes[at] <= NINE;
  }

  /** End of the one or more digits at `at`. */
  private digits(at: number): number {
    if (!this.digitAt(at)) {
      this.fail('has a number without digits', this.base + at);
    }
    let end = at;
    while (this.digitAt(end)) {
      end++;
    }
    return end;
  }

  private text(start: number, end: number): string {
    // Hostile headers have millions of short strings: for those, a call into Node costs more than a loop.
    if (end - start > 24) {
      return this.buffer.toString('utf8', start, end);
    }
    let text = '';
    for (let at = start; at < end; at++) {
      if (this.bytes[at] >= 0x80) {
        return this.buffer.toString('utf8', start, end);
      }
      text += String.fromCharCode(this.bytes[at]);
    }
    return text;
  }

  private excerpt(start: number, end: number): string {
    return end - start > 40 ? `${this.text(start, start + 37)}...` : this.text(start, end);
  }
}

function putUtf8(target: Uint8Array, at: number, code: number): number {
  if (code < 0x80) {
    target[at++] = code;
  } else if (code < 0x800) {
    target[at++] = 0xc0 | (code >> 6);
    target[at++] = 0x80 | (code & 0x3f);
  } else if (code < 0x10000) {
    target[at++] = 0xe0 | (code >> 12);
    target[at++] = 0x80 | ((code >> 6) & 0x3f);
    target[at++] = 0x80 | (code & 0x3f);
  } else {
    target[at++] = 0xf0 | (code >> 18);
    target[at++] = 0x80 | ((code >> 12) & 0x3f);
    target[at++] = 0x80 | ((code >> 6) & 0x3f);
    target[at++] = 0x80 | (code & 0x3f);
  }
  return at;
}
