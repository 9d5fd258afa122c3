import * as assert from 'node:assert/strict';
import * as fs from 'node:fs/promises';
import fc from 'fast-check';
import { UserError } from '../../../extension/core/errors';
import { bitsOf, DTYPES, elementCount } from '../../../extension/core/formats/dtype';
import { openSafetensors } from '../../../extension/core/formats/safetensors/read';
import type { TensorEntry } from '../../../extension/core/formats/safetensors/write';
import { copiedTensor, writeSafetensors } from '../../../extension/core/formats/safetensors/write';
import { fixture, temporaryFolder } from '../support/files';

const f32 = (...values: number[]): Uint8Array => new Uint8Array(Float32Array.from(values).buffer);

async function headerOf(file: string): Promise<{ text: string; length: number }> {
  const bytes = await fs.readFile(file);
  const length = Number(bytes.readBigUInt64LE());
  return { text: bytes.toString('utf8', 8, 8 + length), length };
}

describe('safetensors writer', () => {
  const temporary = temporaryFolder();

  it('writes the bytes of the official library for its own file', async () => {
    const source = fixture('golden/hyenadna-hf-a/model.safetensors');
    const file = await openSafetensors(source);
    const shuffled = [...file.tensors.keys()].sort((a, b) => (a.length - b.length) || (a < b ? 1 : -1));
    const target = temporary.file('official.safetensors');
    await writeSafetensors(target, shuffled.map((name) => copiedTensor(file, name)), { metadata: file.metadata });
    await file.close();
    assert.ok((await fs.readFile(target)).equals(await fs.readFile(source)));
  });

  it('keeps a given order, so that a copy has the same bytes', async () => {
    const source = fixture('samples/hyenadna-tiny-1k-ecoli/model.safetensors');
    const file = await openSafetensors(source);
    const target = temporary.file('copy.safetensors');
    await writeSafetensors(target, [...file.tensors.keys()].map((name) => copiedTensor(file, name)), { metadata: file.metadata, keepOrder: true });
    await file.close();
    assert.ok((await fs.readFile(target)).equals(await fs.readFile(source)));
  });

  it('orders by dtype, widest first, then by the UTF-8 bytes of the name', async () => {
    const target = temporary.file('order.safetensors');
    const entry = (name: string, dtype: TensorEntry['dtype']): TensorEntry => ({ name, dtype, shape: [1], data: new Uint8Array(bitsOf(dtype) / 8) });
    await writeSafetensors(target, [
      entry('b', 'U8'), entry('a', 'BOOL'), entry('z', 'F16'), entry('c', 'F32'), entry('a', 'I64'), entry('\u{10000}', 'F32'), entry('\uffff', 'F32'), entry('y', 'BF16'), entry('d', 'I32'),
    ].map((one, i) => ({ ...one, name: one.name + i })));
    const file = await openSafetensors(target);
    assert.deepEqual([...file.tensors.keys()], ['a4', 'c3', '\uffff6', '\u{10000}5', 'd8', 'y7', 'z2', 'b0', 'a1']);
    await file.close();
  });

  it('puts metadata first, writes compact JSON and pads the header to 8 bytes', async () => {
    const target = temporary.file('header.safetensors');
    await writeSafetensors(target, [{ name: 'x', dtype: 'F32', shape: [2], data: f32(1, 2) }], { metadata: new Map([['note', 'say "hi"\n']]) });
    const { text, length } = await headerOf(target);
    assert.equal(length % 8, 0);
    assert.equal(text.trimEnd(), '{"__metadata__":{"note":"say \\"hi\\"\\n"},"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}');
    assert.match(text, /^\S.*\} {0,7}$/);
  });

  it('reads back what it wrote, for any names, dtypes, shapes, metadata and pieces', async () => {
    const text = fc.string({ unit: 'binary', maxLength: 12 });
    const tensor = fc.record({
      name: text.filter((name) => name !== '__metadata__'),
      dtype: fc.constantFrom(...DTYPES),
      shape: fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 4 }),
      piece: fc.integer({ min: 1, max: 64 }),
      seed: fc.integer({ min: 0, max: 255 }),
    }).filter(({ dtype, shape }) => (elementCount(shape) * bitsOf(dtype)) % 8 === 0);
    const tensors = fc.uniqueArray(tensor, { selector: ({ name }) => name, maxLength: 8 });
    const target = temporary.file('property.safetensors');
    await fc.assert(fc.asyncProperty(tensors, fc.array(fc.tuple(text, text), { maxLength: 4 }), fc.boolean(), async (list, pairs, keepOrder) => {
      const metadata = new Map(pairs);
      const contents = new Map(list.map(({ name, dtype, shape, seed }) => {
        const bytes = new Uint8Array((elementCount(shape) * bitsOf(dtype)) / 8).map((_, i) => (seed + 37 * i) & 255);
        return [name, bytes];
      }));
      const entries = list.map(({ name, dtype, shape, piece }): TensorEntry => ({
        name, dtype, shape,
        data: async function* () {
          const bytes = contents.get(name) ?? new Uint8Array();
          for (let begin = 0; begin < bytes.length; begin += piece) {
            yield bytes.subarray(begin, begin + piece);
          }
        },
      }));
      await writeSafetensors(target, entries, { metadata, keepOrder });
      const file = await openSafetensors(target);
      assert.deepEqual(new Map(file.metadata), metadata);
      assert.equal(file.tensors.size, list.length);
      for (const { name, dtype, shape } of list) {
        const info = file.tensors.get(name);
        assert.deepEqual([info?.dtype, info?.shape], [dtype, shape]);
        assert.deepEqual(await file.readBytes(name), contents.get(name));
      }
      if (keepOrder) {
        assert.deepEqual([...file.tensors.keys()], list.map(({ name }) => name));
      }
      await file.close();
    }), { numRuns: 150 });
  });

  it('refuses what cannot be a file, leaving an existing target and no temporary file', async () => {
    const x: TensorEntry = { name: 'x', dtype: 'F32', shape: [2], data: f32(1, 2) };
    const failing: TensorEntry = { ...x, data: async function* () { yield f32(1); throw new Error('source is gone'); } };
    const cases: readonly (readonly [entries: TensorEntry[], message: RegExp])[] = [
      [[x, x], /two tensors would be named "x"/],
      [[{ ...x, name: '__metadata__' }], /two tensors/],
      [[{ ...x, data: f32(1) }], /needs 8 bytes but only 4 were given/],
      [[{ ...x, data: f32(1, 2, 3) }], /needs 8 bytes but more were given/],
      [[{ ...x, shape: [-2] }], /no valid size/],
      [[{ ...x, dtype: 'F4', shape: [3] }], /no valid size/],
      [[{ ...x, name: '\ud800' }], /not valid Unicode/],
      [[failing], /source is gone/],
    ];
    const target = await temporary.write('kept.safetensors', 'old content');
    const before = await temporary.list();
    for (const [entries, message] of cases) {
      await assert.rejects(writeSafetensors(target, entries), message);
      assert.equal(await fs.readFile(target, 'utf8'), 'old content');
      assert.deepEqual(await temporary.list(), before);
    }
  });

  it('stops when it is aborted', async () => {
    const controller = new AbortController();
    const endless: TensorEntry = {
      name: 'x', dtype: 'U8', shape: [1 << 30],
      data: async function* () {
        for (let piece = 0; ; piece++) {
          if (piece === 3) {
            controller.abort();
          }
          yield new Uint8Array(1 << 16);
        }
      },
    };
    const before = await temporary.list();
    await assert.rejects(writeSafetensors(temporary.file('aborted.safetensors'), [endless], { signal: controller.signal }), { name: 'AbortError' });
    assert.deepEqual(await temporary.list(), before);
  });

  it('says which folder is missing', async () => {
    await assert.rejects(writeSafetensors(temporary.file('no/such/file.safetensors'), []), (error) => error instanceof UserError && /folder does not exist/.test(error.message));
  });
});
