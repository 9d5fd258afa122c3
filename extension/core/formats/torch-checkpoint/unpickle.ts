import type { Budget } from './budget';
import { callResult, persistentValue } from './globals';
import type { Refuse } from './refusal';
import { isUnsafe } from './unsafe-globals';
import type { PickleValue, Storage } from './values';
import { Dict, GlobalName, Placeholder, Tuple } from './values';

/** The bytes end inside the pickle: the rest of the file may have more. */
export class EndOfBytes extends Error {}

export interface Unpickled {
  readonly value: PickleValue;
  /** Every storage that the pickle refers to, by key. */
  readonly storages: ReadonlyMap<string, Storage>;
  /** Index after the pickle's last byte. */
  readonly end: number;
}

export interface UnpickleOptions {
  /** Offset of `bytes` in the file, for messages. */
  readonly base: number;
  readonly refuse: Refuse;
  readonly budget: Budget;
}

/** The instructions that PyTorch's own weights-only loader takes (torch/_weights_only_unpickler.py); no others are. */
const OP = {
  MARK: 0x28, STOP: 0x2e, BINFLOAT: 0x47, BININT: 0x4a, BININT1: 0x4b, BININT2: 0x4d, NONE: 0x4e, BINPERSID: 0x51, REDUCE: 0x52, SHORT_BINSTRING: 0x55, BINUNICODE: 0x58,
  EMPTY_LIST: 0x5d, APPEND: 0x61, BUILD: 0x62, GLOBAL: 0x63, APPENDS: 0x65, BINGET: 0x68, LONG_BINGET: 0x6a, BINPUT: 0x71, LONG_BINPUT: 0x72, SETITEM: 0x73, TUPLE: 0x74,
  SETITEMS: 0x75, EMPTY_DICT: 0x7d, EMPTY_TUPLE: 0x29, PROTO: 0x80, NEWOBJ: 0x81, TUPLE1: 0x85, TUPLE2: 0x86, TUPLE3: 0x87, NEWTRUE: 0x88, NEWFALSE: 0x89, LONG1: 0x8a, EMPTY_SET: 0x8f,
} as const;

/** Values that may wait on the stack at a time, far beyond the 1000 items that picklers batch. */
const DEEPEST_STACK = 1_000_000;
/** Bytes of a whole number: sizes have 9, seeds of random numbers up to 33. */
const LONGEST_NUMBER = 64;
/** Names of classes and functions have no line breaks and are short. */
const LONGEST_NAME = 512;

/**
 * Reads one pickle (protocol 2) and executes nothing: known names become tensors and containers, all others inert placeholders.
 * Refuses every instruction outside OP, and names that would run programs. Throws EndOfBytes when `bytes` ends too soon.
 */
export function unpickle(bytes: Uint8Array, start: number, options: UnpickleOptions): Unpickled {
  return new Machine(bytes, start, options).run();
}

class Machine {
  private readonly buffer: Buffer;
  private stack: PickleValue[] = [];
  private readonly marked: PickleValue[][] = [];
  private depth = 0;
  private readonly memo = new Map<number, PickleValue>();
  private readonly storages = new Map<string, Storage>();
  private readonly globals = new Map<string, GlobalName>();
  /** Offset in the file of the instruction being read. */
  private at = 0;

  constructor(bytes: Uint8Array, private position: number, private readonly options: UnpickleOptions) {
    this.buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  run(): Unpickled {
    for (;;) {
      this.at = this.options.base + this.position;
      const code = this.buffer[this.take(1)];
      if (code === OP.STOP) {
        const value = this.pop();
        return { value, storages: this.storages, end: this.position };
      }
      this.step(code);
    }
  }

  private step(code: number): void {
    switch (code) {
      case OP.PROTO: return this.protocol();
      case OP.NONE: return this.push(null);
      case OP.NEWTRUE: return this.push(true);
      case OP.NEWFALSE: return this.push(false);
      case OP.BININT: return this.push(this.buffer.readInt32LE(this.take(4)));
      case OP.BININT1: return this.push(this.buffer[this.take(1)]);
      case OP.BININT2: return this.push(this.buffer.readUInt16LE(this.take(2)));
      case OP.BINFLOAT: return this.push(this.buffer.readDoubleBE(this.take(8)));
      case OP.LONG1: return this.push(this.long(this.buffer[this.take(1)]));
      case OP.BINUNICODE: return this.push(this.text(this.buffer.readUInt32LE(this.take(4)), 'utf8'));
      case OP.SHORT_BINSTRING: return this.push(this.text(this.buffer[this.take(1)], 'latin1'));
      case OP.EMPTY_TUPLE: return this.tuple(0);
      case OP.TUPLE1: return this.tuple(1);
      case OP.TUPLE2: return this.tuple(2);
      case OP.TUPLE3: return this.tuple(3);
      case OP.TUPLE: return this.push(new Tuple(this.popToMark(80)));
      case OP.EMPTY_LIST: case OP.EMPTY_SET: return this.make([], 80);
      case OP.EMPTY_DICT: return this.make(new Dict(), 300);
      case OP.MARK: return this.mark();
      case OP.APPEND: return this.append([this.pop()]);
      case OP.APPENDS: return this.append(this.popToMark(0));
      case OP.SETITEM: return this.setItems(this.popMany(2));
      case OP.SETITEMS: return this.setItems(this.popToMark(0));
      case OP.GLOBAL: return this.global();
      case OP.REDUCE: case OP.NEWOBJ: return this.call();
      case OP.BUILD: return this.build();
      case OP.BINPERSID: return this.persistent();
      case OP.BINPUT: return this.put(this.buffer[this.take(1)]);
      case OP.LONG_BINPUT: return this.put(this.buffer.readUInt32LE(this.take(4)));
      case OP.BINGET: return this.get(this.buffer[this.take(1)]);
      case OP.LONG_BINGET: return this.get(this.buffer.readUInt32LE(this.take(4)));
      default:
        return this.refuse(`the pickle has the instruction 0x${code.toString(16).padStart(2, '0')}, which no checkpoint of PyTorch needs`,
          'Save the state dict with torch.save and its default pickle protocol, or as safetensors.');
    }
  }

  private protocol(): void {
    const version = this.buffer[this.take(1)];
    if (version !== 2) {
      this.refuse(`the pickle has protocol ${version}, not 2`, 'Save the state dict with torch.save and its default pickle protocol, or as safetensors.');
    }
  }

  private refuse(reason: string, hint?: string): never {
    return this.options.refuse(this.at, reason, hint);
  }

  /** Moves past `count` bytes; returns the index of the first. */
  private take(count: number): number {
    const start = this.position;
    if (start + count > this.buffer.length) {
      throw new EndOfBytes();
    }
    this.position += count;
    return start;
  }

  private push(value: PickleValue): void {
    if (++this.depth > DEEPEST_STACK) {
      this.refuse(`the pickle stacks more than ${DEEPEST_STACK} values`);
    }
    this.stack.push(value);
  }

  /** Pushes a new object that takes about `bytes` of memory. */
  private make(value: PickleValue, bytes: number): void {
    this.options.budget.charge(bytes, this.at);
    this.push(value);
  }

  private pop(): PickleValue {
    return this.popMany(1)[0];
  }

  private popMany(count: number): PickleValue[] {
    if (this.stack.length < count) {
      this.refuse('the pickle takes a value where it has left none');
    }
    this.depth -= count;
    return this.stack.splice(this.stack.length - count, count);
  }

  private top(): PickleValue {
    return this.stack.length > 0 ? this.stack[this.stack.length - 1] : this.refuse('the pickle changes a value where it has left none');
  }

  private mark(): void {
    this.options.budget.charge(100, this.at);
    this.marked.push(this.stack);
    this.stack = [];
  }

  private popToMark(overhead: number): PickleValue[] {
    const items = this.stack;
    this.stack = this.marked.pop() ?? this.refuse('the pickle goes back to a mark that it has not set');
    this.depth -= items.length;
    this.options.budget.charge(overhead + 16 * items.length, this.at);
    return items;
  }

  private tuple(count: number): void {
    this.make(new Tuple(this.popMany(count)), 80 + 16 * count);
  }

  private text(length: number, encoding: 'utf8' | 'latin1'): string {
    const start = this.take(length);
    this.options.budget.charge(32 + 2 * length, this.at);
    return this.buffer.toString(encoding, start, start + length);
  }

  /** A little-endian integer in two's complement: a number where that is exact. */
  private long(length: number): number | bigint {
    const start = this.take(length);
    if (length === 0) {
      return 0;
    }
    if (length > LONGEST_NUMBER) {
      return this.refuse(`the pickle has a whole number of ${length} bytes`);
    }
    const digits = Buffer.from(this.buffer.subarray(start, start + length)).reverse().toString('hex');
    const value = BigInt.asIntN(8 * length, BigInt(`0x${digits}`));
    const number = Number(value);
    if (Number.isSafeInteger(number)) {
      return number;
    }
    this.options.budget.charge(64 + length, this.at);
    return value;
  }

  private append(items: readonly PickleValue[]): void {
    const target = this.top();
    const list = Array.isArray(target) ? target : target instanceof Placeholder ? target.items : this.refuse('the pickle appends to something that is not a list');
    this.options.budget.charge(16 * items.length, this.at);
    for (const item of items) {
      list.push(item);
    }
  }

  private setItems(items: readonly PickleValue[]): void {
    const target = this.top();
    if (!(target instanceof Dict || target instanceof Placeholder) || items.length % 2 !== 0) {
      return this.refuse('the pickle sets items of something that is not a dict');
    }
    this.options.budget.charge(40 * items.length, this.at);
    for (let i = 0; i < items.length; i += 2) {
      target.entries.set(items[i], items[i + 1]);
    }
  }

  private global(): void {
    const name = `${this.line()}.${this.line()}`;
    let known = this.globals.get(name);
    if (!known) {
      this.refuseUnsafe(name);
      known = new GlobalName(name);
      this.globals.set(name, known);
      this.options.budget.charge(200 + 2 * name.length, this.at);
    }
    this.push(known);
  }

  private line(): string {
    const end = this.buffer.indexOf(0x0a, this.position);
    const length = (end < 0 ? this.buffer.length : end) - this.position;
    if (length > LONGEST_NAME) {
      return this.refuse(`the pickle names a class of more than ${LONGEST_NAME} characters`);
    }
    const start = this.take(length + 1);
    return this.buffer.toString('utf8', start, start + length);
  }

  private persistent(): void {
    const storage = persistentValue(this.pop(), this.at, this.options.refuse);
    if (storage instanceof GlobalName) {
      return this.push(storage);
    }
    const known = this.storages.get(storage.key);
    if (known && (known.byteLength !== storage.byteLength || known.dtype !== storage.dtype)) {
      this.refuse(`the pickle gives storage ${JSON.stringify(storage.key.slice(0, 80))} two different sizes or types`);
    }
    if (!known) {
      this.storages.set(storage.key, storage);
      this.options.budget.charge(300, this.at);
    }
    this.push(known ?? storage);
  }

  private call(): void {
    const [callee, args] = this.popMany(2);
    if (!(args instanceof Tuple)) {
      return this.refuse('the pickle calls something without a tuple of arguments');
    }
    const result = callResult(callee, args.items, { at: this.at, refuse: this.options.refuse, budget: this.options.budget });
    if (result instanceof GlobalName) {
      this.refuseUnsafe(result.name);
    }
    this.make(result, 500 + 16 * args.items.length);
  }

  private refuseUnsafe(name: string): void {
    if (isUnsafe(name)) {
      this.refuse(`the pickle calls ${name.slice(0, LONGEST_NAME)}, which would run code on this computer if Python loaded the file`, 'Do not load this file with PyTorch; ask where it comes from.');
    }
  }

  /** Sets an object's attributes. Those of dicts (`_metadata`) and tensors say nothing about weights. */
  private build(): void {
    const state = this.pop();
    const target = this.top();
    if (target instanceof Placeholder) {
      target.state = state;
    }
  }

  private put(index: number): void {
    const value = this.top();
    if (!this.memo.has(index)) {
      this.options.budget.charge(40, this.at);
    }
    this.memo.set(index, value);
  }

  private get(index: number): void {
    const value = this.memo.get(index);
    if (value === undefined) {
      return this.refuse(`the pickle refers to its value ${index}, which it has not set`);
    }
    this.push(value);
  }
}
