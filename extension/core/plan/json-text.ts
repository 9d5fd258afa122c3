/** A JSON value with its place in the text, so that errors and edits can point at it. Offsets are UTF-16 units, half open. */
export interface JsonNode {
  readonly value: unknown;
  readonly offset: number;
  readonly end: number;
  /** Of an object, in text order. */
  readonly members?: ReadonlyMap<string, JsonMember>;
  /** Of an array. */
  readonly items?: readonly JsonNode[];
}

export interface JsonMember {
  readonly keyOffset: number;
  readonly keyEnd: number;
  readonly node: JsonNode;
}

/** Steps from the root to a value: member names and array indices. */
export type JsonPath = readonly (string | number)[];

/** The text is not JSON; `message` has no full stop. */
export class JsonSyntaxError extends Error {
  constructor(message: string, readonly offset: number) {
    super(message);
    this.name = 'JsonSyntaxError';
  }
}

const MAX_DEPTH = 64;
/** Objects and lists; a plan of a thousand sites has ten thousand. */
const MOST_CONTAINERS = 100_000;
const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const WORD = /[A-Za-z_$]+/y;
const SPACE = /[ \t\r\n]*/y;
const LITERALS: ReadonlyMap<string, unknown> = new Map<string, unknown>([['true', true], ['false', false], ['null', null]]);

/** Parses strict JSON (RFC 8259; a byte order mark is skipped, repeated keys are refused). Throws JsonSyntaxError. */
export function parseJson(text: string): JsonNode {
  return new Parser(text).document();
}

class Parser {
  private at: number;
  private containers = 0;

  constructor(private readonly text: string) {
    this.at = text.startsWith('\ufeff') ? 1 : 0;
  }

  document(): JsonNode {
    this.skipSpace();
    if (this.at === this.text.length) {
      throw new JsonSyntaxError('the file is empty', this.at);
    }
    const root = this.value(0);
    this.skipSpace();
    if (this.at < this.text.length) {
      throw this.unexpected('the end of the file');
    }
    return root;
  }

  private value(depth: number): JsonNode {
    if (depth > MAX_DEPTH) {
      throw new JsonSyntaxError(`nested deeper than ${MAX_DEPTH} levels`, this.at);
    }
    const offset = this.at;
    const first = this.text[offset];
    if ((first === '{' || first === '[') && ++this.containers > MOST_CONTAINERS) {
      throw new JsonSyntaxError(`more than ${MOST_CONTAINERS} objects and lists`, offset);
    }
    switch (first) {
      case '{':
        return this.object(depth);
      case '[':
        return this.array(depth);
      case '"':
        return { value: this.string(), offset, end: this.at };
    }
    const number = this.match(NUMBER);
    if (number !== undefined) {
      return { value: Number(number), offset, end: this.at };
    }
    const word = this.match(WORD) ?? '';
    if (!LITERALS.has(word)) {
      this.at = offset;
      throw this.unexpected('a value');
    }
    return { value: LITERALS.get(word), offset, end: this.at };
  }

  private object(depth: number): JsonNode {
    const offset = this.at++;
    const members = new Map<string, JsonMember>();
    for (this.skipSpace(); this.text[this.at] !== '}'; this.skipSpace()) {
      if (members.size > 0) {
        this.comma('}');
      }
      const keyOffset = this.at;
      if (this.text[keyOffset] !== '"') {
        throw this.unexpected('a field name in double quotes');
      }
      const key = this.string();
      const keyEnd = this.at;
      if (members.has(key)) {
        throw new JsonSyntaxError(`the field "${key}" appears twice`, keyOffset);
      }
      this.skipSpace();
      if (this.text[this.at] !== ':') {
        throw this.unexpected('a colon');
      }
      this.at++;
      this.skipSpace();
      members.set(key, { keyOffset, keyEnd, node: this.value(depth + 1) });
    }
    this.at++;
    const value = Object.fromEntries([...members].map(([key, { node }]) => [key, node.value]));
    return { value, offset, end: this.at, members };
  }

  private array(depth: number): JsonNode {
    const offset = this.at++;
    const items: JsonNode[] = [];
    for (this.skipSpace(); this.text[this.at] !== ']'; this.skipSpace()) {
      if (items.length > 0) {
        this.comma(']');
      }
      items.push(this.value(depth + 1));
    }
    this.at++;
    return { value: items.map(({ value }) => value), offset, end: this.at, items };
  }

  /** The comma before another member or item, which must follow. */
  private comma(close: string): void {
    if (this.text[this.at] !== ',') {
      throw this.unexpected(`a comma or ${close}`);
    }
    const offset = this.at++;
    this.skipSpace();
    if (this.text[this.at] === close) {
      throw new JsonSyntaxError(`a comma before ${close} is not allowed`, offset);
    }
  }

  private string(): string {
    const offset = this.at;
    const token = this.match(STRING);
    if (token === undefined) {
      throw new JsonSyntaxError('this text has no closing quote, or a bad escape or control character in it', offset);
    }
    return JSON.parse(token) as string;
  }

  private match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at;
    const token = pattern.exec(this.text)?.[0];
    this.at += token?.length ?? 0;
    return token;
  }

  private skipSpace(): void {
    this.match(SPACE);
  }

  private unexpected(wanted: string): JsonSyntaxError {
    const rest = this.text.slice(this.at, this.at + 12).split(/[\r\n]/)[0];
    if (rest.startsWith('//') || rest.startsWith('/*')) {
      return new JsonSyntaxError('comments are not part of JSON', this.at);
    }
    return new JsonSyntaxError(`expected ${wanted}, but ${rest === '' ? 'the line or file ends' : `found ${rest}`}`, this.at);
  }
}

/** Line and column of an offset, both from 1. */
export function placeOf(text: string, offset: number): { readonly line: number; readonly column: number } {
  const before = text.slice(0, offset);
  const lineStart = before.lastIndexOf('\n') + 1;
  return { line: before.split('\n').length, column: offset - lineStart + 1 };
}

/** The part of the text that a path means: the member's name, or the item; of a missing value, what should hold it. */
export function rangeOf(root: JsonNode, path: JsonPath): { readonly offset: number; readonly end: number } {
  let node = root;
  let range: { offset: number; end: number } = root;
  for (const step of path) {
    const member = typeof step === 'string' ? node.members?.get(step) : undefined;
    const next = member?.node ?? (typeof step === 'number' ? node.items?.[step] : undefined);
    if (next === undefined) {
      return range;
    }
    node = next;
    range = member === undefined ? next : { offset: member.keyOffset, end: next.end };
  }
  return { offset: range.offset, end: range.end };
}

/** A path as users read it: `sites[0].masks[1].partial.taps`. */
export function fieldName(path: JsonPath): string {
  return path.map((step, i) => (typeof step === 'number' ? `[${step}]` : i === 0 ? step : `.${step}`)).join('');
}
