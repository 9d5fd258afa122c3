import * as assert from 'node:assert/strict';
import * as fs from 'node:fs/promises';
import { UserError } from '../../../extension/core/errors';
import { float32ToBfloat16, float32ToFloat16 } from '../../../extension/core/formats/float16';
import { openSafetensors } from '../../../extension/core/formats/safetensors/read';
import { fixture, temporaryFolder } from '../support/files';

/** A file with one tensor behind `padding` bytes of another, so that its data can lie at any alignment. */
function fileWith(dtype: string, count: number, data: Uint8Array, padding: number): Buffer {
  const json = Buffer.from(JSON.stringify({
    before: { dtype: 'U8', shape: [padding], data_offsets: [0, padding] },
    x: { dtype, shape: [count], data_offsets: [padding, padding + data.length] },
  }));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([length, json, Buffer.alloc(padding, 0xee), data]);
}

describe('safetensors reader', () => {
  const temporary = temporaryFolder();
  const values = Float32Array.from({ length: 1000 }, (_, i) => Math.fround(Math.sin(i) * 10 ** (i % 7 - 3)));
  const stored: readonly (readonly [dtype: string, data: Uint8Array, error: number])[] = [
    ['F64', new Uint8Array(Float64Array.from(values).buffer), 0],
    ['F32', new Uint8Array(values.slice().buffer), 0],
    ['F16', new Uint8Array(Uint16Array.from(values, float32ToFloat16).buffer), 2 ** -11],
    ['BF16', new Uint8Array(Uint16Array.from(values, float32ToBfloat16).buffer), 2 ** -8],
  ];

  for (const [dtype, data, tolerance] of stored) {
    it(`reads ranges of ${dtype} as float32 at any alignment`, async () => {
      for (const padding of [0, 1, 2, 3, 5]) {
        const file = await openSafetensors(await temporary.write(`${dtype}-${padding}.safetensors`, fileWith(dtype, values.length, data, padding)));
        for (const [begin, end] of [[0, 1000], [0, 0], [1000, 1000], [1, 2], [17, 900], [999, 1000]]) {
          const read = await file.readFloat32('x', begin, end);
          assert.equal(read.length, end - begin);
          // Subnormal F16 values lose relative precision, hence the smallest normal number as the floor.
          read.forEach((value, i) => {
            const expected = values[begin + i];
            assert.ok(Math.abs(value - expected) <= tolerance * Math.max(Math.abs(expected), 6.2e-5), `${value} instead of ${expected}`);
          });
        }
        assert.deepEqual(await file.readFloat32('x'), await file.readFloat32('x', 0, 1000));
        assert.deepEqual(await file.readFloat32('x', 990), await file.readFloat32('x', 990, 1000));
        assert.deepEqual(await file.readBytes('x', 3, 11), Uint8Array.from(data.subarray(3, 11)));
        await file.close();
      }
    });
  }

  it('converts a tensor of more elements than it converts at a time', async () => {
    const count = (1 << 20) + 12345;
    const half = Uint16Array.from({ length: count }, (_, i) => float32ToFloat16(i % 2000));
    const file = await openSafetensors(await temporary.write('long.safetensors', fileWith('F16', count, new Uint8Array(half.buffer), 1)));
    const read = await file.readFloat32('x', 100);
    assert.equal(read.length, count - 100);
    assert.ok(read.every((value, i) => value === (i + 100) % 2000));
    await file.close();
  });

  it('refuses to read integers as floats, unknown tensors and ranges outside a tensor', async () => {
    const file = await openSafetensors(fixture('samples/hyenadna-tiny-1k-ecoli/reference.safetensors'));
    await assert.rejects(file.readFloat32('tokens'), (error) => error instanceof UserError && /"tokens".*I32/.test(error.message));
    await assert.rejects(file.readBytes('nothing'), (error) => error instanceof UserError && /no tensor named "nothing"/.test(error.message));
    await assert.rejects(file.readFloat32('nll', 0, 1025), RangeError);
    await assert.rejects(file.readBytes('nll', -1), RangeError);
    await assert.rejects(file.readBytes('nll', 3, 2), RangeError);
    await file.close();
  });

  it('gives the absolute path, the header order and the metadata', async () => {
    const file = await openSafetensors(fixture('golden/hyenadna-hf-a/model.safetensors'));
    assert.equal(file.path, fixture('golden/hyenadna-hf-a/model.safetensors'));
    assert.deepEqual([...file.metadata], [['format', 'pt']]);
    const names = [...file.tensors.keys()];
    assert.deepEqual(names, [...names].sort());
    assert.equal(names.length, 56);
    await file.close();
  });

  it('says so when the file becomes shorter while it is open', async () => {
    const path = await temporary.write('shrinking.safetensors', fileWith('F32', values.length, new Uint8Array(values.slice().buffer), 0));
    const file = await openSafetensors(path);
    await fs.truncate(path, 1000);
    await assert.rejects(file.readFloat32('x'), (error) => error instanceof UserError && error.message.includes('while it was open'));
    await file.close();
  });

  it('reads a header that ends exactly at the end of the file, and an empty one', async () => {
    const file = await openSafetensors(fixture('safetensors/ok_empty.st'));
    assert.equal(file.tensors.size, 0);
    await file.close();
  });
});
