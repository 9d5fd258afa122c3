import fc from 'fast-check';

/** One change of a file: `at` is a place as a share of its length. */
export interface Mutation { readonly kind: 'flip' | 'set' | 'insert' | 'remove' | 'repeat' | 'cut' | 'token'; readonly at: number; readonly value: number; readonly length: number }

/** Pieces that mean something to one of the parsers, the ones at a limit above all. */
const TOKENS: readonly Buffer[] = [
  '9223372036854775808', '18446744073709551615', '-1', '1e9', '[[[[', '{"', '"F64"', '"BOOL"', 'null', '\\u0000', '../', '/etc/passwd', '"__metadata__"',
  'PK\x01\x02', 'PK\x03\x04', 'PK\x05\x06', 'PK\x06\x06', '\xff\xff\xff\xff', '\xff\xff\xff\xff\xff\xff\xff\x7f', '\x00\x00\x00\x80',
  'cposix\nsystem\n', 'ctorch._utils\n_rebuild_tensor_v2\n', 'ccollections\nOrderedDict\n', '(', ')', '}', ']', 'R', 'b', 'Q', 'h\x00', 'q\x00', 'u', 's', 'e', 't', '\x85', '\x86', '\x87', '\x81',
  '\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01', '\x3a\x80\x80\x80\x80\x10', '\x0a\x08location', '../weights.bin',
  '\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f', 'J\xff\xff\xff\x7f', 'J\x00\x00\x00\x80', 'X\xff\xff\xff\x7f', '.', '\x80\x02', '\x80\x04',
].map((text) => Buffer.from(text, 'latin1'));

export const mutations = fc.array(fc.record({
  kind: fc.constantFrom<Mutation['kind']>('flip', 'set', 'insert', 'remove', 'repeat', 'cut', 'token', 'token'),
  at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
  value: fc.nat({ max: 0xffff }),
  length: fc.nat({ max: 300 }),
}), { minLength: 1, maxLength: 5 });

export function mutate(bytes: Buffer, changes: readonly Mutation[]): Buffer {
  return changes.reduce((current, { kind, at, value, length }) => {
    const place = Math.floor(at * current.length);
    const [before, after] = [current.subarray(0, place), current.subarray(place)];
    switch (kind) {
      case 'flip': return Buffer.concat([before, Buffer.from([(after[0] ?? 0) ^ (1 << (value % 8))]), after.subarray(1)]);
      case 'set': return Buffer.concat([before, Buffer.from([value & 0xff]), after.subarray(1)]);
      case 'insert': return Buffer.concat([before, Buffer.alloc(length, value & 0xff), after]);
      case 'remove': return Buffer.concat([before, after.subarray(length)]);
      case 'repeat': return Buffer.concat([before, ...Array.from({ length: 1 + (value % 20) }, () => after.subarray(0, length)), after]);
      case 'cut': return before;
      case 'token': {
        const token = TOKENS[value % TOKENS.length];
        return Buffer.concat([before, token, length % 2 ? after : after.subarray(token.length)]);
      }
    }
  }, bytes);
}
