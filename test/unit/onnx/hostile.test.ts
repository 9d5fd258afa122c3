import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { UserError } from '../../../extension/core/errors';
import { encodeField, encodeHeader, encodeVarint } from '../../../extension/core/formats/onnx/splice';
import { openOnnx } from '../../../extension/core/formats/onnx/read';
import { onnx } from '../../../extension/core/graph/onnx';
import { fixture, temporaryFolder } from '../support/files';

/** Longest time for one file, in milliseconds. */
const MOST_TIME = 2000;
const vectors = [
  ...fs.readdirSync(fixture('onnx-longconv')).map((name) => fixture(`onnx-longconv/${name}`)),
  ...fs.readdirSync(fixture('onnx-node')).map((name) => fixture(`onnx-node/${name}/model.onnx`)),
];

/** Opens and reads everything; any failure must be one sentence to the user, and quick. */
async function survive(file: string): Promise<'read' | 'refused'> {
  const start = performance.now();
  try {
    const model = await openOnnx(file);
    for (const name of model.tensors.keys()) await model.readBytes(name);
    await model.close();
    return 'read';
  } catch (error) {
    assert.ok(error instanceof UserError, `${String(error)}\n${(error as Error).stack}`);
    assert.match(error.message, /^[^\n]+\.$/);
    return 'refused';
  } finally {
    assert.ok(performance.now() - start < MOST_TIME, 'too slow');
  }
}

describe('hostile ONNX files', () => {
  const temporary = temporaryFolder();

  it('truncations of every vector are refused', async () => {
    for (const vector of vectors) {
      const original = fs.readFileSync(vector);
      for (let i = 0; i < 12; i++) {
        const length = Math.floor((original.length * i) / 12);
        const result = await survive(await temporary.write('cut.onnx', original.subarray(0, length)));
        // What is cut off exactly between two fields of the model may still be one.
        if (length < original.length / 2) assert.equal(result, 'refused', `${vector} cut to ${length}`);
      }
    }
  });

  const model = (graph: Uint8Array, more: Uint8Array = new Uint8Array(0)): Uint8Array =>
    Buffer.concat([onnx.ModelProto.encode({ irVersion: 8, opsetImport: [{ domain: '', version: 17 }] }).finish(), encodeField(7, graph), more]);
  const initializer = (fields: Uint8Array[]): Uint8Array => model(encodeField(5, Buffer.concat([encodeField(8, Buffer.from('w')), ...fields])));
  const number = (field: number, value: Uint8Array): Uint8Array => Buffer.concat([encodeVarint(field * 8), value]);
  const minusOne = Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]);
  const largest = Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]);
  const node = (fields: Uint8Array): Uint8Array => encodeField(1, Buffer.concat([encodeField(4, Buffer.from('If')), fields]));
  function nested(depth: number): Uint8Array {
    let graph: Uint8Array = new Uint8Array(0);
    for (let i = 0; i < depth; i++) graph = node(encodeField(5, Buffer.concat([encodeField(1, Buffer.from('then_branch')), encodeField(6, graph)])));
    return graph;
  }
  const cases: Readonly<Record<string, readonly [RegExp, Uint8Array]>> = {
    'an empty file': [/no graph|empty/, new Uint8Array(0)],
    'a shape of 2^63 - 1': [/which no tensor can have/, initializer([number(1, largest), number(2, Buffer.from([1])), encodeField(9, Buffer.alloc(8))])],
    'a negative shape': [/which no tensor can have/, initializer([number(1, minusOne), number(2, Buffer.from([1])), encodeField(9, Buffer.alloc(8))])],
    'sizes whose product overflows': [/which no tensor can have/, initializer([...[1, 2, 3].map(() => number(1, encodeVarint(2 ** 32))), number(2, Buffer.from([1])), encodeField(9, Buffer.alloc(4))])],
    'data shorter than its shape': [/has 8 bytes of data instead of 400/, initializer([number(1, encodeVarint(100)), number(2, Buffer.from([1])), encodeField(9, Buffer.alloc(8))])],
    'no data': [/has no data of its type/, initializer([number(1, encodeVarint(1 << 30)), number(2, Buffer.from([1]))])],
    'a list of numbers that is too short': [/not enough of it/, initializer([number(1, encodeVarint(1 << 30)), number(2, Buffer.from([7])), encodeField(7, Buffer.alloc(8))])],
    'two initializers of one name': [/a second initializer is named "w"/, model(Buffer.concat([1, 2].map(() => encodeField(5, encodeField(8, Buffer.from('w'))))))],
    'two graphs': [/a second graph/, model(new Uint8Array(0), encodeField(7, new Uint8Array(0)))],
    'a field longer than the file': [/is announced where only/, Buffer.concat([encodeHeader(7, 2 ** 40), Buffer.alloc(8)])],
    'a length of 2^64 - 1': [/is announced where only/, Buffer.concat([encodeVarint(7 * 8 + 2), minusOne])],
    'a number without end': [/more than 10 bytes/, Buffer.alloc(64, 0xff)],
    'a group': [/wire type 3/, Buffer.from([0x0b, 0x0c, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])],
    'a node without an operator': [/names no operator/, model(encodeField(1, new Uint8Array(0)))],
    'deep subgraphs': [/nested more than 32 deep/, model(nested(200))],
    'no operator sets': [/0 operator sets/, Buffer.concat([number(1, Buffer.from([8])), encodeField(7, new Uint8Array(0))])],
  };
  for (const [name, [message, bytes]] of Object.entries(cases)) {
    it(`refuses ${name}`, async () => {
      const file = await temporary.write('hostile.onnx', bytes);
      await assert.rejects(openOnnx(file), (error: Error) => error instanceof UserError && message.test(error.message) && error.message.startsWith(`Cannot read ${file}`));
    });
  }

  it('many tiny fields and nodes end quickly and in little memory', async () => {
    const nodes = Buffer.concat(new Array(250_000).fill(encodeField(1, encodeField(4, Buffer.from('A')))));
    for (const bytes of [Buffer.alloc(12 << 20, Buffer.from([0x80, 0x01, 0])), model(nodes)]) {
      const before = process.memoryUsage().rss;
      assert.equal(await survive(await temporary.write('many.onnx', bytes)), 'refused');
      assert.ok(process.memoryUsage().rss - before < 2 * bytes.length + 2 ** 26 + 2 ** 25, 'memory');
    }
  });
});
