import * as assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { UserError } from '../../../extension/core/errors';
import { openTensorFile } from '../../../extension/core/formats/open';
import { openSafetensors } from '../../../extension/core/formats/safetensors/read';
import type { TensorFile } from '../../../extension/core/formats/tensor-file';
import { fixture, temporaryFolder } from '../support/files';
import type { Picklable } from './support/pickle-writer';
import { Call, Global, pickle, storage, tensor, TupleOf } from './support/pickle-writer';
import { zip } from './support/zip-writer';
import type { ZipOptions } from './support/zip-writer';

/** Every tensor of `expected` (under `prefix` in the checkpoint) with the same type, shape and bytes, read whole and in odd ranges. */
async function assertEqual(actual: TensorFile, expected: TensorFile, prefix = ''): Promise<void> {
  for (const { name, dtype, shape } of expected.tensors.values()) {
    const info = actual.tensors.get(prefix + name);
    assert.deepEqual([name, info?.dtype, info?.shape], [name, dtype, shape]);
    const bytes = await expected.readBytes(name);
    assert.deepEqual(await actual.readBytes(prefix + name), bytes, name);
    for (const [begin, end] of [[1, bytes.length], [0, bytes.length - 1], [3, 9], [bytes.length, bytes.length]].filter(([a, b]) => a <= b && b <= bytes.length)) {
      assert.deepEqual(await actual.readBytes(prefix + name, begin, end), bytes.slice(begin, end), `${name} ${begin} ${end}`);
    }
  }
}

async function compare(checkpoint: string, safetensors: string, prefix = ''): Promise<TensorFile> {
  const [actual, expected] = [await openTensorFile(checkpoint), await openSafetensors(safetensors)];
  await assertEqual(actual, expected, prefix);
  await Promise.all([actual.close(), expected.close()]);
  return actual;
}

describe('PyTorch checkpoints written by PyTorch', () => {
  const made = (name: string): string => fixture(`torch-checkpoint/${name}`);

  it('a zipped state dict: bit for bit, shared storages recognised', async () => {
    const file = await compare(fixture('golden/hyena-safari-mod-a/weights.ckpt'), fixture('golden/hyena-safari-mod-a/model.safetensors'));
    assert.equal(file.tensors.get('lm_head.weight')?.sameAs, 'backbone.embeddings.word_embeddings.weight');
    assert.ok(file.notes?.some((note) => note.includes('tied weights')));
  });

  it('a Lightning checkpoint with omegaconf objects: its state_dict, and what is left out', async () => {
    const file = await compare(fixture('golden/hyenadna-lightning-a/weights.ckpt'), fixture('golden/hyenadna-lightning-a/model.safetensors'));
    assert.ok(file.notes?.some((note) => /optimizer_states \(96 tensors\)/.test(note)));
    assert.deepEqual([...file.metadata], [['format', 'pt']]);
  });

  it('a legacy file', async () => {
    const file = await compare(fixture('golden/hyenadna-hf-a/pytorch_model.bin'), fixture('golden/hyenadna-hf-a/model.safetensors'));
    assert.equal(file.tensors.get('hyena.backbone.layers.1.mixer.filter_fn.implicit_filter.5.freq')?.sameAs, 'hyena.backbone.layers.1.mixer.filter_fn.implicit_filter.1.freq');
  });

  it('a Composer checkpoint', async () => {
    await compare(fixture('golden/m2bert-a/model.pt'), fixture('golden/m2bert-a/model.safetensors'), 'model.');
  });

  for (const name of ['plain', 'module', 'training']) {
    for (const form of ['', '-legacy']) {
      it(`${name}${form}: types, views, modules and training states as PyTorch reads them`, async () => {
        const file = await compare(made(`${name}${form}.pt`), made(`${name}.safetensors`));
        const expected = await openSafetensors(made(`${name}.safetensors`));
        assert.deepEqual([...file.tensors.keys()].sort(), [...expected.tensors.keys()].sort());
        await expected.close();
      });
    }
  }

  const refusals: readonly (readonly [name: string, message: RegExp])[] = [
    ['system', /the pickle calls posix\.system, which would run code on this computer/],
    ['system-legacy', /the pickle calls posix\.system, which would run code on this computer/],
    ['sparse', /"w" is a sparse tensor, which safetensors cannot hold/],
    ['complex128', /"w" is of type complex128, which safetensors cannot hold/],
    ['quantized', /"w" is a quantized tensor/],
    ['protocol4', /the pickle has protocol 4, not 2/],
    ['torchscript', /it is a TorchScript program, not a state dict/],
  ];
  for (const [name, message] of refusals) {
    it(`refuses ${name}, and runs nothing`, async () => {
      await assert.rejects(openTensorFile(made(`refused-${name}.pt`)), (error) => error instanceof UserError && message.test(error.message) && !error.message.includes('\n') && error.hint !== undefined);
      assert.ok(!fs.existsSync('/tmp/longconv-surgeon-attack'));
    });
  }
});

describe('PyTorch checkpoints by their layout', () => {
  const temporary = temporaryFolder();
  const values = Float32Array.from({ length: 12 }, (_, i) => i + 0.5);
  const content = new Uint8Array(values.buffer);
  const extras = [{ name: 'a/byteorder', content: Buffer.from('little') }, { name: 'a/.format_version', content: Buffer.from('1') }, { name: 'a/.storage_alignment', content: Buffer.from('64') },
    { name: 'a/version', content: Buffer.from('3\n') }, { name: 'a/.data/serialization_id', content: Buffer.from('0'.repeat(40)) }];

  const write = (root: Picklable, options: ZipOptions = {}, storages: Record<string, Uint8Array> = { 0: content }): Promise<string> => temporary.write('x.pt', zip([
    { name: 'a/data.pkl', content: pickle(root) }, ...extras, ...Object.entries(storages).map(([key, bytes]) => ({ name: `a/data/${key}`, content: bytes })),
  ], options));
  const read = async (file: string, name = 'w'): Promise<{ dtype?: string; shape?: readonly number[]; bytes: Uint8Array }> => {
    const opened = await openTensorFile(file);
    try {
      return { dtype: opened.tensors.get(name)?.dtype, shape: opened.tensors.get(name)?.shape, bytes: await opened.readBytes(name) };
    } finally {
      await opened.close();
    }
  };
  const refused = async (root: Picklable, message: RegExp, options?: ZipOptions, storages?: Record<string, Uint8Array>): Promise<void> => {
    const file = await write(root, options, storages);
    await assert.rejects(openTensorFile(file), (error) => {
      assert.ok(error instanceof UserError, String(error));
      assert.match(error.message, message);
      assert.ok(error.message.includes(file) && error.hint);
      return true;
    });
  };
  const w = (value: Picklable): Map<Picklable, Picklable> => new Map([['w', value]]);

  for (const options of [{}, { zip64: true }, { descriptors: false, aligned: false }, { comment: 'a comment' }]) {
    it(`the archive with ${JSON.stringify(options)}`, async () => {
      assert.deepEqual(await read(await write(w(tensor('0', 12, [3, 4])), options)), { dtype: 'F32', shape: [3, 4], bytes: content });
    });
  }

  it('the types that PyTorch 2 stores as untyped bytes', async () => {
    for (const [type, bytes, dtype] of [['uint16', 2, 'U16'], ['uint32', 4, 'U32'], ['uint64', 8, 'U64'], ['float8_e4m3fn', 1, 'F8_E4M3'], ['float8_e5m2', 1, 'F8_E5M2'], ['float8_e8m0fnu', 1, 'F8_E8M0']] as const) {
      const rebuilt = new Call(new Global('torch._utils', '_rebuild_tensor_v3'), [
        storage('0', 48, 'UntypedStorage'), 8 / bytes, new TupleOf([2]), new TupleOf([1]), false, new Call(new Global('collections', 'OrderedDict'), []), new Global('torch', type),
      ]);
      assert.deepEqual(await read(await write(w(rebuilt))), { dtype, shape: [2], bytes: content.slice(8, 8 + 2 * bytes) });
    }
  });

  it('parameters, tensors of subclasses and metadata of dicts', async () => {
    const inner = tensor('0', 12, [12]);
    for (const value of [
      new Call(new Global('torch._utils', '_rebuild_parameter'), [inner, true, new Call(new Global('collections', 'OrderedDict'), [])]),
      new Call(new Global('torch._utils', '_rebuild_parameter_with_state'), [inner, true, new Map(), new Map()]),
      new Call(new Global('torch.nn.parameter', 'Parameter'), [inner, true]),
      new Call(new Global('torch._tensor', '_rebuild_from_type_v2'), [inner.callee, new Global('my.lib', 'Subclass'), new TupleOf(inner.args), new Map()]),
    ]) {
      assert.deepEqual((await read(await write(w(value)))).bytes, content);
    }
    const ordered = new Call(new Global('collections', 'OrderedDict'), [[new TupleOf(['w', inner])]], new Map([['_metadata', new Map()]]));
    assert.deepEqual((await read(await write(ordered))).bytes, content);
  });

  it('unknown classes are placeholders that hide nothing and run nothing', async () => {
    const config = new Call(new Global('my.lib', 'Config'), [1, 'x'], new Map<Picklable, Picklable>([['lr', 1]]));
    const file = await openTensorFile(await write(new Map<Picklable, Picklable>([['config', config], ['callback', new Call(config, [])], ['model', w(tensor('0', 12, [12]))], ['ema', w(tensor('0', 12, [12]))]])));
    assert.deepEqual([...file.tensors.keys()], ['w']);
    assert.ok(file.notes?.some((note) => note.includes('ema (1 tensor)')));
    await file.close();
  });

  it('a dict that holds itself, and containers that share each other', async () => {
    const cyclic = Buffer.concat([Buffer.from([0x80, 2]), Buffer.from('}q\0X\x04\0\0\0selfh\0s'), pickle(tensor('0', 12, [12])).subarray(2, -1), Buffer.from('q\x01X\x01\0\0\0wh\x01'), Buffer.from('0')]);
    await assert.rejects(openTensorFile(await temporary.write('x.pt', zip([{ name: 'a/data.pkl', content: cyclic }, { name: 'a/data/0', content }]))), /instruction 0x30/);
    const good = Buffer.concat([Buffer.from([0x80, 2]), Buffer.from('}q\0X\x04\0\0\0selfh\0sX\x01\0\0\0w'), pickle(tensor('0', 12, [12])).subarray(2, -1), Buffer.from('s.')]);
    assert.deepEqual((await read(await temporary.write('x.pt', zip([{ name: 'a/data.pkl', content: good }, { name: 'a/data/0', content }])))).bytes, content);
    // 30 dicts of which each holds the next twice: 2^30 paths.
    const nested = [Buffer.from([0x80, 2, 0x7d, 0x71, 0])];
    for (let i = 0; i < 30; i++) nested.push(Buffer.from([0x7d, 0x28, 0x4b, 0, 0x68, i, 0x4b, 1, 0x68, i, 0x75, 0x71, i + 1]));
    await assert.rejects(openTensorFile(await temporary.write('x.pt', zip([{ name: 'a/data.pkl', content: Buffer.concat([...nested, Buffer.from('.')]) }]))), /more than 300000 containers/);
  });

  it('a large transposed view, in ranges', async () => {
    const [rows, columns] = [700, 900];
    const big = Float32Array.from({ length: rows * columns }, (_, i) => i);
    const file = await openTensorFile(await write(w(tensor('0', rows * columns, [columns, rows], { strides: [1, columns] })), {}, { 0: new Uint8Array(big.buffer) }));
    const read = await file.readFloat32('w', 1234, 500_000);
    assert.ok(read.every((value, i) => value === ((i + 1234) % rows) * columns + Math.floor((i + 1234) / rows)));
    await file.close();
  });

  const big = 2n ** 63n;
  const cases: readonly (readonly [what: string, root: Picklable, message: RegExp])[] = [
    ['a tensor beyond its storage', w(tensor('0', 12, [13])), /reaches to byte 52 of a storage of 48/],
    ['an offset beyond the storage', w(tensor('0', 12, [1], { offset: 12 })), /reaches to byte 52 of a storage of 48/],
    ['strides beyond the storage', w(tensor('0', 12, [2, 2], { strides: [100, 1] })), /reaches to byte/],
    ['a negative stride', w(tensor('0', 12, [2], { strides: [-1] })), /not whole numbers from 0/],
    ['a dimension of 2^63', w(tensor('0', 12, [big, 1])), /not whole numbers from 0/],
    ['dimensions whose product is beyond 2^53', w(tensor('0', 12, [2 ** 40, 2 ** 40])), /reaches to byte/],
    ['a repeated element that would fill the disk', w(tensor('0', 12, [2 ** 40], { strides: [0] })), /far more than its file/],
    ['a storage that the archive lacks', w(tensor('1', 12, [12])), /storage "1", which the archive does not have/],
    ['a storage larger than its entry', w(tensor('0', 13, [12])), /storage "0" has 48 bytes, but its tensors need 52/],
    ['a storage of 2^63 elements', w(tensor('0', big, [1])), /not a storage of a valid size/],
    ['a storage key with a path', w(tensor('../../etc/passwd', 12, [12])), /which the archive does not have/],
    ['a storage of an unknown type', w(tensor('0', 12, [12], { type: 'NewStorage' })), /torch\.NewStorage are not known/],
    ['two sizes of one storage', new Map<Picklable, Picklable>([['a', tensor('0', 12, [1])], ['b', tensor('0', 11, [1])]]), /two different sizes/],
    ['no tensors', new Map(), /it holds no tensors/],
    ['builtins.eval', w(new Call(new Global('builtins', 'eval'), ['1'])), /calls builtins\.eval/],
    ['os through another module', w(new Call(new Global('torch.serialization', 'os.system'), ['1'])), /calls torch\.serialization\.os\.system/],
    ['os.system by getattr', w(new Call(new Call(new Global('__builtin__', 'getattr'), [new Global('torch.serialization', 'x'), 'os']), [])), /calls torch\.serialization\.x\.os/],
    ['a subprocess', w(new Global('subprocess', 'Popen')), /calls subprocess\.Popen/],
  ];
  for (const [what, root, message] of cases) {
    it(`refuses ${what}`, () => refused(root, message));
  }

  it('refuses big-endian, compressed, repeated, overlapping and damaged entries', async () => {
    const root = { name: 'a/data.pkl', content: pickle(w(tensor('0', 12, [12]))) };
    const data = { name: 'a/data/0', content };
    const rejects = async (bytes: Buffer, message: RegExp): Promise<void> => assert.rejects(openTensorFile(await temporary.write('x.pt', bytes)), (error) => error instanceof UserError && message.test(error.message));
    await rejects(zip([root, data, { name: 'a/byteorder', content: Buffer.from('big') }]), /not in little-endian/);
    await rejects(zip([root, { name: 'a/data/0', content: new Uint8Array(1 << 20), compressed: true }]), /storage "0" is compressed/);
    await rejects(zip([{ ...root, compressed: true }, data]), /"a\/data\.pkl" is compressed/);
    await rejects(zip([root, data, data]), /lists "a\/data\/0" twice/);
    await rejects(zip([root, data, { ...root, name: 'b/data.pkl' }]), /more than one data\.pkl/);
    await rejects(zip([data]), /has no data\.pkl/);
    const whole = zip([root, data]);
    const flipped = Buffer.from(whole);
    flipped[whole.indexOf('rebuild')] ^= 1;
    await rejects(flipped, /checksum/);
    const overlapping = Buffer.from(whole);
    const listed = whole.lastIndexOf('PK\x01\x02');
    overlapping.writeUInt32LE(content.length * 1000, listed + 24);
    overlapping.writeUInt32LE(content.length * 1000, listed + 20);
    await rejects(overlapping, /would reach to byte/);
    for (let length = 40; length < whole.length; length += 7) {
      await rejects(whole.subarray(0, length), /truncated/);
    }
  });

  it('refuses pickles that ask for far more memory than they have bytes', async () => {
    const dicts = Buffer.concat([Buffer.from([0x80, 2]), Buffer.alloc(400_000, '}'), Buffer.from('.')]);
    await assert.rejects(openTensorFile(await temporary.write('x.pt', zip([{ name: 'a/data.pkl', content: dicts }]))), /far more memory/);
    const deep = Buffer.concat([Buffer.from([0x80, 2]), Buffer.alloc(2_000_000, 'N'), Buffer.from('.')]);
    await assert.rejects(openTensorFile(await temporary.write('x.pt', zip([{ name: 'a/data.pkl', content: deep }]))), /stacks more than/);
    const list = Buffer.concat([Buffer.from([0x80, 2]), Buffer.from('](' + 'N'.repeat(9999) + 'eq\0'), Buffer.from('c__builtin__\nlist\nh\0\x85R'.repeat(2000), 'latin1'), Buffer.from('.')]);
    await assert.rejects(openTensorFile(await temporary.write('x.pt', zip([{ name: 'a/data.pkl', content: list }]))), /far more memory/);
  });

  it('refuses pickles and archives of other things', async () => {
    await assert.rejects(openTensorFile(await temporary.write('x.pt', pickle([1, 2]))), /a pickle of something else/);
    await assert.rejects(openTensorFile(await temporary.write('x.pt', zip([{ name: 'word/document.xml', content }]))), /some other ZIP file/);
  });
});
