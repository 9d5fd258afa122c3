// Calls of the addon with good and hostile arguments, all of which are chosen by one source of numbers: random ones, or a fuzzer's. Needs --expose-gc.
import * as assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { noise } from '../../unit/graph/support/measure';

type Anything = Record<string, unknown>;
type Functions = Readonly<Record<string, (...given: unknown[]) => unknown>>;
export type Addon = Functions & { readonly cuda: Functions };
const gc = (globalThis as unknown as { gc(): void }).gc;

let random: () => number = () => 0;
const below = (n: number): number => Math.floor(random() * n);
const pick = <T>(list: readonly T[]): T => list[below(list.length)];

/** Sizes that no memory has; none that would be carried out and take minutes. */
const HOSTILE_NUMBERS = [-1, -0, 0, 0.5, NaN, Infinity, -Infinity, 2 ** 40, 2 ** 52 + 1, 2 ** 53, 2 ** 63, 2 ** 64, 1e308];
const ARRAYS = [Float32Array, Float64Array, Uint8Array, Uint16Array, Int32Array, BigInt64Array, Uint8ClampedArray] as const;

function detached(count: number): Float32Array {
  const array = new Float32Array(count);
  structuredClone(array.buffer, { transfer: [array.buffer] });
  return array;
}

/** An array over memory that shrinks at a later moment, or has shrunk. */
function shrinking(count: number): Float32Array {
  const Resizable = ArrayBuffer as unknown as new (bytes: number, options: { maxByteLength: number }) => ArrayBuffer & { resize(bytes: number): void };
  const buffer = new Resizable(4 * count, { maxByteLength: 8 * count });
  if (below(2)) queueMicrotask(() => buffer.resize(0));
  else buffer.resize(0);
  return new Float32Array(buffer);
}

const throwing = (): never => { throw pick<unknown>([new Error('thrown by an argument'), 'a text', 7, undefined, null, Symbol('thrown')]); };
const TRAPS = ['get', 'has', 'ownKeys', 'getOwnPropertyDescriptor', 'getPrototypeOf'] as const;

function cyclic(): object {
  const list: unknown[] = [];
  const object = { list };
  list.push(object, ...new Array<unknown>(below(5000)).fill(list));
  return object;
}

function deep(): object {
  let object = {};
  for (let i = 0; i < 20_000; i++) object = i % 2 ? { a: object } : [object];
  return object;
}

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

const HOSTILE: readonly (() => unknown)[] = [
  () => undefined, () => null, () => true, () => pick(HOSTILE_NUMBERS), () => 10n, () => Symbol('s'), () => throwing, () => '', () => 'x'.repeat(1 << below(20)), () => '\ud800',
  () => [], () => ({}), () => Object.create(null) as object, () => new Date(), () => new Map(), () => new String('causal'), () => new Number(3), () => new Array(2 ** 32 - 1), () => [, 1],
  () => new (pick(ARRAYS))(below(300)), () => new Float32Array(new SharedArrayBuffer(4 * below(300))), () => new DataView(new ArrayBuffer(8)), () => new ArrayBuffer(8),
  () => detached(below(300)), () => shrinking(1 + below(300)), cyclic, deep, revoked,
  () => new Proxy({}, { [pick(TRAPS)]: throwing }), () => new Proxy([], { [pick(TRAPS)]: throwing }), () => new Proxy(new Float32Array(9), {}),
  () => Object.defineProperty([1, 2], '0', { get: throwing }),
  () => new Proxy({}, { get: () => pick(HOSTILE)(), ownKeys: () => ['a', 'b'], getOwnPropertyDescriptor: () => ({ configurable: true, enumerable: true, value: 1 }) }),
];

/** Good arguments of each function. */
const GOOD: Readonly<Record<string, () => unknown[]>> = {
  devices: () => [],
  predict: () => [spec(), 1 + below(4), 1 + below(40), below(3)],
  prepare: () => { const given = spec(); return [given, noise((given.channels as number) * (given.filterLength as number), below(9)), below(3) ? undefined : new Int32Array(1)]; },
  maskFilter: () => {
    const [channels, taps] = [1 + below(3), 1 + below(40)];
    const fftSize = 128;
    const frequency = { fftSize, gain: new Float64Array(fftSize / 2 + 1).fill(0.5) };
    return [{ channels, taps, filter: noise(channels * taps, 1), want: pick(['none', 'causal', 'grid']), ...(below(2) && { frequency }), ...(below(2) && { lagWeights: new Float64Array(taps).fill(1) }) }];
  },
  spectrum: () => { const taps = 1 + below(40); return [{ rows: noise(taps * below(4), 1), taps, fftSize: 64 }]; },
  sirenFilter: () => {
    const [features, width, channels, positions] = [3, 4, 2, 1 + below(30)];
    const layers = [{ weight: noise(width * features, 1), bias: noise(width, 2) }, { weight: noise(width * width, 3), bias: noise(width, 4) }];
    return [{
      features, layers, t: noise(positions, 5), z: noise(positions * features, 6), freq: noise(width, 7), output: noise(channels * width, 8),
      ...(below(2) && { window: { deltas: noise(channels, 9), shift: 0.1 } }), ...(below(2) && { into: { rows: new Float32Array(channels * positions), stride: positions } }),
    }];
  },
  modalFilter: () => {
    const [channels, states, count] = [2, 3, below(20)];
    const pair = () => ({ re: new Float64Array(channels * states).fill(-0.1), ...(below(2) && { im: new Float64Array(channels * states).fill(0.2) }) });
    return [{ channels, states, logPoles: pair(), residues: pair(), first: below(9), count, output: new Float32Array(channels * count), ...(below(2) && { direct: new Float64Array(channels) }), ...(below(2) && { delay: 1 }) }];
  },
  lowRankFilter: () => {
    const [channels, states, rank, count] = [2, 3, 1 + below(2), below(20)];
    const pair = (size: number, re: number) => ({ re: new Float64Array(size).fill(re), im: new Float64Array(size).fill(0.2) });
    return [{
      channels, states, rank, poles: pair(channels * states, -0.5), lowRank: pair(channels * rank * states, 0.1), inputs: pair(channels * states, 1), outputs: pair(channels * states, 1),
      steps: new Float64Array(channels).fill(0.1), first: below(9), count, output: new Float32Array(channels * count), ...(below(2) && { tuned: below(64) }),
    }];
  },
};

function spec(): Anything {
  const mode = pick(['causal', 'grid', 'circular']);
  const channels = 1 + below(3);
  if (mode !== 'grid') {
    const maxLength = 1 + below(30);
    return { mode, channels, maxLength, filterLength: mode === 'circular' ? maxLength : 1 + below(maxLength) };
  }
  const factors = Array.from({ length: 1 + below(3) }, () => 2 ** (1 + below(3)));
  const fftSize = factors.reduce((product, factor) => product * factor, 1);
  const bins = fftSize / 2 + 1;
  const kept = pick<(bin: number) => number>([() => 1, (bin) => Number(bin % factors[0] < 2), (bin) => Number(bin < bins / 4), () => below(2)]);
  return { mode, channels, maxLength: 1 + below(fftSize / 2), filterLength: fftSize, grid: { fftSize, factors, kept: Uint8Array.from({ length: bins }, (_, bin) => kept(bin)) } };
}

/** A prepared convolution of the current call, which an argument may free in the middle of it. */
let current: (Anything & { free(): void }) | undefined;

/** Every array of some arguments, at any depth of good ones. */
function arraysOf(value: unknown): ArrayBufferView[] {
  if (ArrayBuffer.isView(value)) return [value];
  return value !== null && typeof value === 'object' ? Object.values(value).flatMap(arraysOf) : [];
}

/** What an argument does when it is read. */
const DEEDS: readonly ((all: unknown) => void)[] = [
  throwing, () => gc(), () => current?.free(),
  (all) => { for (const { buffer } of arraysOf(all)) if (below(2) && buffer.byteLength > 0) structuredClone(buffer, { transfer: [buffer as ArrayBuffer] }); },
];

/** The same object with something hostile in one of its fields, which may be deep inside. */
function spoil(value: unknown, all: unknown): unknown {
  if (value === null || typeof value !== 'object' || ArrayBuffer.isView(value) || below(8) === 0) return pick(HOSTILE)();
  const names = Object.keys(value);
  if (names.length === 0) return pick(HOSTILE)();
  const name = pick(names);
  const copy = (Array.isArray(value) ? [...value as unknown[]] : { ...value }) as Anything;
  const given = copy[name];
  switch (below(4)) {
    case 0: return Object.defineProperty(copy, name, { enumerable: true, configurable: true, get: () => { pick(DEEDS)(all); return given; } });
    // Another value each time it is read, of another size.
    case 1: return Object.defineProperty(copy, name, { enumerable: true, configurable: true, get: () => (below(2) ? given : given instanceof Float32Array ? given.slice(below(given.length)) : pick(HOSTILE)()) });
    case 2: return new Proxy(copy, { get: (object, key, self) => { if (key === name && below(2)) pick(DEEDS)(all); return Reflect.get(object, key, self) as unknown; } });
    default: copy[name] = spoil(given, all); return copy;
  }
}

/** How the calls ended so far. */
export const counts = { results: 0, errors: 0 };

/** The call gives a result or an Error; anything else that is thrown, by whomever, is the addon's fault. */
async function settle(what: string, call: () => unknown): Promise<unknown> {
  try {
    const result = await call();
    counts.results++;
    return result;
  } catch (error) {
    assert.ok(error instanceof Error, `${what} threw ${String(error)}`);
    counts.errors++;
    return undefined;
  }
}

function spoiled(given: unknown[]): unknown[] {
  let list = given;
  for (let times = below(3); times > 0; times--) {
    try {
      list = below(6) === 0 ? list.slice(0, below(list.length + 1)) : list.map((value, i) => (i === 0 || below(3) === 0 ? spoil(value, given) : value));
    } catch {
      // What was spoiled already cannot be copied: it is hostile enough.
      break;
    }
  }
  return list;
}

export function loadAddon(file: string): Addon {
  return createRequire(__filename)(file) as Addon;
}

/** One call; `numbers` gives numbers in [0, 1), as Math.random does. */
export async function callOnce(addon: Addon, numbers: () => number): Promise<void> {
  random = numbers;
  if (below(3) === 0) {
    const [given, filter] = GOOD.prepare();
    const { channels, maxLength } = given as { channels: number; maxLength: number };
    current = (await addon.prepare(given, filter)) as typeof current;
    const count = channels * maxLength;
    const call = { batch: 1, length: maxLength, input: noise(count, 1), output: new Float32Array(count), ...(below(2) && { skip: noise(channels, 2), preGate: noise(count, 3), threads: 1 }) };
    const self = below(10) === 0 ? pick(HOSTILE)() : current;
    const method = (current as unknown as Record<string, (...rest: unknown[]) => unknown>)[pick(['run', 'run', 'run', 'prediction', 'free'])];
    const list = spoiled([call, below(3) ? undefined : new Int32Array(1)]);
    await settle('PreparedConvolution', () => method.apply(self, list));
    return;
  }
  // Addresses on a GPU are numbers that nobody can check; without one, every function refuses.
  const onGpu = below(8) === 0 && !(addon.devices() as { cuda: { usable: boolean } }).cuda.usable;
  if (onGpu) {
    const name = pick(Object.keys(addon.cuda));
    const list = spoiled(pick(Object.values(GOOD))());
    await settle(`cuda.${name}`, () => addon.cuda[name](...list));
  } else {
    const name = pick(Object.keys(GOOD));
    const list = spoiled(GOOD[name]());
    await settle(name, () => addon[name](...list));
  }
}
