/** A Python object for `pickle`: plain JS values, and the classes below. */
export type Picklable = null | boolean | number | bigint | string | Picklable[] | Map<Picklable, Picklable> | Global | Call | TupleOf | Persistent | Raw;

export class Global { constructor(readonly module: string, readonly name: string) {} }
export class Call { constructor(readonly callee: Picklable, readonly args: Picklable[], readonly state?: Picklable) {} }
export class TupleOf { constructor(readonly items: Picklable[]) {} }
export class Persistent { constructor(readonly id: Picklable) {} }
/** Instructions as they are. */
export class Raw { constructor(readonly bytes: Uint8Array) {} }

/** A pickle of protocol 2. */
export function pickle(value: Picklable): Buffer {
  return Buffer.concat([Buffer.from([0x80, 2]), encode(value), Buffer.from('.')]);
}

const le = (size: number, value: number): Buffer => {
  const bytes = Buffer.alloc(size);
  bytes.writeUIntLE(value, 0, size);
  return bytes;
};

function encode(value: Picklable): Buffer {
  if (value === null) return Buffer.from('N');
  if (typeof value === 'boolean') return Buffer.from([value ? 0x88 : 0x89]);
  if (typeof value === 'bigint' || (typeof value === 'number' && !(value >= 0 && value < 2 ** 31))) return long(BigInt(value));
  if (typeof value === 'number') return Buffer.concat([Buffer.from('J'), le(4, value)]);
  if (typeof value === 'string') return Buffer.concat([Buffer.from('X'), le(4, Buffer.byteLength(value)), Buffer.from(value)]);
  if (Array.isArray(value)) return Buffer.concat([Buffer.from(']('), ...value.map(encode), Buffer.from('e')]);
  if (value instanceof Map) return Buffer.concat([Buffer.from('}('), ...[...value].flat().map(encode), Buffer.from('u')]);
  if (value instanceof TupleOf) return Buffer.concat([Buffer.from('('), ...value.items.map(encode), Buffer.from('t')]);
  if (value instanceof Global) return Buffer.from(`c${value.module}\n${value.name}\n`);
  if (value instanceof Persistent) return Buffer.concat([encode(value.id), Buffer.from('Q')]);
  if (value instanceof Raw) return Buffer.from(value.bytes);
  const call = Buffer.concat([encode(value.callee), encode(new TupleOf(value.args)), Buffer.from('R')]);
  return value.state === undefined ? call : Buffer.concat([call, encode(value.state), Buffer.from('b')]);
}

function long(value: bigint): Buffer {
  const bytes = Buffer.alloc(12);
  bytes.writeBigInt64LE(BigInt.asIntN(64, value), 0);
  bytes.writeInt32LE(Number(value >> 64n), 8);
  return Buffer.concat([Buffer.from([0x8a, 12]), bytes]);
}

/** torch._utils._rebuild_tensor_v2 of a storage in elements. */
export function tensor(
  key: string, count: number | bigint, shape: (number | bigint)[], { type = 'FloatStorage', offset = 0 as number | bigint, strides = contiguous(shape) } = {},
): Call {
  return new Call(new Global('torch._utils', '_rebuild_tensor_v2'), [
    storage(key, count, type), offset, new TupleOf(shape), new TupleOf(strides), false, new Call(new Global('collections', 'OrderedDict'), []),
  ]);
}

export const storage = (key: string, count: number | bigint, type: string): Persistent =>
  new Persistent(new TupleOf(['storage', type === 'UntypedStorage' ? new Global('torch.storage', type) : new Global('torch', type), key, 'cpu', count]));

function contiguous(shape: (number | bigint)[]): (number | bigint)[] {
  return shape.map((_, i) => shape.slice(i + 1).reduce<number | bigint>((product, size) => (typeof product === 'bigint' || typeof size === 'bigint' ? BigInt(product) * BigInt(size) : product * size), 1));
}
