import * as assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs/promises';
import { UserError } from '../../../extension/core/errors';
import { fingerprint } from '../../../extension/core/formats/fingerprint';
import { openTensorFile } from '../../../extension/core/formats/open';
import { openSafetensors } from '../../../extension/core/formats/safetensors/read';
import { fixture, temporaryFolder } from '../support/files';
import { pickle, tensor } from './support/pickle-writer';
import { INDEX, shard } from './support/shard';
import { zip } from './support/zip-writer';

describe('models in several files', () => {
  const temporary = temporaryFolder();
  const source = fixture('golden/hyenadna-hf-a/model.safetensors');

  it('read as one, bit for bit', async () => {
    const index = await shard(source, temporary.file('three'), 3);
    const [whole, parts] = [await openSafetensors(source), await openTensorFile(index)];
    assert.equal(parts.path, index);
    assert.equal(parts.files?.length, 4);
    assert.equal(parts.tensors.size, whole.tensors.size);
    assert.deepEqual(Object.fromEntries(parts.metadata), { 'format': 'pt', 'part 0': 'yes', 'part 1': 'yes', 'part 2': 'yes' });
    for (const [name, { dtype, shape }] of whole.tensors) {
      assert.deepEqual([parts.tensors.get(name)?.dtype, parts.tensors.get(name)?.shape], [dtype, shape]);
      assert.deepEqual(await parts.readBytes(name), await whole.readBytes(name));
      if (dtype === 'F32') assert.deepEqual(await parts.readFloat32(name, 0, 3), await whole.readFloat32(name, 0, 3));
    }
    await assert.rejects(parts.readBytes('nothing'), /no tensor named "nothing"/);
    await Promise.all([whole.close(), parts.close()]);
  });

  it('say that one of them is a Git LFS pointer', async () => {
    const index = await shard(source, temporary.file('pointers'), 2);
    const part = (await fs.readdir(temporary.file('pointers'))).find((name) => name !== INDEX)!;
    await fs.writeFile(temporary.file(`pointers/${part}`), 'version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n');
    await assert.rejects(openTensorFile(index), (error) => error instanceof UserError && error.message.includes(part) && error.hint === 'Run `git lfs pull` in its folder.');
  });

  it('PyTorch checkpoints in several files too', async () => {
    for (const part of [1, 2]) {
      await temporary.write(`torch/p${part}.bin`, zip([{ name: 'a/data.pkl', content: pickle(new Map([[`w${part}`, tensor('0', 1, [1])]])) }, { name: 'a/data/0', content: new Uint8Array(new Float32Array([part]).buffer) }]));
    }
    const file = await openTensorFile(await temporary.write('torch/pytorch_model.bin.index.json', '{"weight_map": {"w2": "p2.bin", "w1": "p1.bin"}}'));
    assert.deepEqual([...file.tensors.keys()], ['w2', 'w1']);
    assert.deepEqual([...await file.readFloat32('w1'), ...await file.readFloat32('w2')], [1, 2]);
    await file.close();
  });

  it('have a fingerprint that changes with any of the files', async () => {
    const index = await shard(source, temporary.file('print'), 2);
    const names = [INDEX, 'model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors'];
    const sha = (bytes: string | Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
    const sums = await Promise.all(names.map(async (name) => `${sha(await fs.readFile(temporary.file(`print/${name}`)))}  ${name}\n`));
    const before = await fingerprint(index);
    assert.equal(before, `sha256:${sha(sums.join(''))}`);
    const bytes = await fs.readFile(temporary.file(`print/${names[2]}`));
    bytes[bytes.length - 1] ^= 1;
    await fs.writeFile(temporary.file(`print/${names[2]}`), bytes);
    assert.notEqual(await fingerprint(index), before);
  });

  it('say what they leave out', async () => {
    await shard(source, temporary.file('more'), 2);
    const file = await openTensorFile(await temporary.write(`more/${INDEX}`, '{"weight_map": {"hyena.backbone.embeddings.word_embeddings.weight": "model-00001-of-00002.safetensors"}}'));
    assert.equal(file.tensors.size, 1);
    assert.match(file.notes?.join(' ') ?? '', /tensors that the index does not place there/);
    await file.close();
  });

  const one = '"model-00001-of-00002.safetensors"';
  const cases: readonly (readonly [what: string, index: string, message: RegExp])[] = [
    ['a missing file', '{"weight_map": {"a": "b.safetensors"}}', /1 of the 1 files that it names is missing, such as "b\.safetensors"/],
    ['a missing tensor', `{"weight_map": {"nothing": ${one}}}`, /places tensor "nothing" in "model-00001-of-00002\.safetensors", which does not have it/],
    ['a path upwards', '{"weight_map": {"a": "../x.safetensors"}}', /not the plain name of a file beside it/],
    ['an absolute path', '{"weight_map": {"a": "/etc/passwd"}}', /not the plain name/],
    ['a Windows path', '{"weight_map": {"a": "..\\\\x.safetensors"}}', /not the plain name/],
    ['a drive', '{"weight_map": {"a": "C:x.safetensors"}}', /not the plain name/],
    ['the folder itself', '{"weight_map": {"a": "."}}', /not the plain name/],
    ['itself', `{"weight_map": {"a": "${INDEX}"}}`, /which is an index itself/],
    ['an index by another name', '{"weight_map": {"a": "other.json"}}', /other\.json is not a safetensors file: it looks like a JSON or text file/],
    ['repeated tensors', `{"weight_map": {"a": ${one}, "a": ${one}}}`, /names tensor "a" twice/],
    ['two maps', `{"weight_map": {"a": ${one}}, "weight_map": {}}`, /has weight_map twice/],
    ['numbers for names', '{"weight_map": {"a": 1}}', /name of the file that holds tensor "a" is expected/],
    ['an array', '{"weight_map": []}', /an object of file names as weight_map is expected/],
    ['no map', '{"metadata": {}}', /has no weight_map/],
    ['deep JSON', `{"x": ${'['.repeat(200)}`, /nests its JSON more than 127 levels deep/],
    ['an unfinished text', '{"weight_map": {"a": "b', /ends inside a string/],
  ];
  for (const [what, index, message] of cases) {
    it(`refuses an index with ${what}`, async () => {
      await shard(source, temporary.file('bad'), 2);
      await temporary.write('bad/other.json', '{"weight_map": {"a": "model.safetensors.index.json"}}');
      const file = await temporary.write(`bad/${INDEX}`, index);
      await assert.rejects(openTensorFile(file), (error) => error instanceof UserError && message.test(error.message) && error.hint !== undefined && !error.message.includes('\n'));
    });
  }

  it('10 GB in 5 files: listed in under 2 s and 200 MB', async () => {
    const weightMap: Record<string, string> = {};
    for (let part = 1; part <= 5; part++) {
      const name = `model-0000${part}-of-00005.safetensors`;
      const tensors = Array.from({ length: 400 }, (_, i) => ({ name: `layers.${part}.${i}.weight`, size: 5 << 20 }));
      const json = Buffer.from(JSON.stringify(Object.fromEntries(tensors.map((one, i) => [one.name, { dtype: 'BF16', shape: [1024, one.size / 2048], data_offsets: [i * one.size, (i + 1) * one.size] }]))));
      const head = Buffer.alloc(8);
      head.writeBigUInt64LE(BigInt(json.length));
      const file = await temporary.write(`large/${name}`, Buffer.concat([head, json]));
      await fs.truncate(file, 8 + json.length + 400 * (5 << 20));
      tensors.forEach((one) => { weightMap[one.name] = name; });
    }
    const index = await temporary.write(`large/${INDEX}`, JSON.stringify({ weight_map: weightMap }));
    const [start, memory] = [performance.now(), process.memoryUsage().rss];
    const file = await openTensorFile(index);
    assert.equal([...file.tensors.values()].reduce((sum, { byteLength }) => sum + byteLength, 0), 2000 * (5 << 20));
    assert.ok(performance.now() - start < 2000, 'time');
    assert.ok(process.memoryUsage().rss - memory < 200 << 20, 'memory');
    await file.close();
  });
});
