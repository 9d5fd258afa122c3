import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { exportInPlace } from '../../../extension/core/export/onnx/in-place';
import { fingerprint } from '../../../extension/core/formats/fingerprint';
import { openOnnx } from '../../../extension/core/formats/onnx/read';
import { copyPatched, encodeField, patches } from '../../../extension/core/formats/onnx/splice';
import { randomFeeds } from '../../../extension/core/graph/feeds';
import { onnx } from '../../../extension/core/graph/onnx';
import { writeAtomically } from '../../../extension/core/io/atomic-file';
import { cli, run, type CliResult } from '../cli/cli';
import { fixture, temporaryFolder } from '../support/files';
import { convolutionModel, differingBytes, writeBigModel } from './support/big-model';
import { addConvolution, decaying, encode, finish, H, signalBuilder, T } from './support/build';
import { keptFilters, open, planOf, relative, runHere, runThere, verifiedByParts } from './support/models';

/** test/large has files of gigabytes. */
const BIG_BYTES = 1 << 24;

const sha = (file: string): string => createHash('sha256').update(fs.readFileSync(file)).digest('hex');

describe('ONNX files are never re-encoded', () => {
  const temporary = temporaryFolder();

  it('an empty plan gives the same bytes, and one masked tensor changes just its own', async function () {
    this.timeout(600_000);
    const source = temporary.file('big.onnx');
    writeBigModel(source, BIG_BYTES);
    const model = await open(source);
    const output = temporary.file('same.onnx');
    await exportInPlace({ model, plan: planOf(model), filters: new Map(), recausalise: false, output, dataFile: 'data' });
    assert.equal(await fingerprint(output), await fingerprint(source));
    fs.rmSync(output);

    const masked = temporary.file('masked.onnx');
    const { touched } = await exportInPlace({ model, plan: planOf(model), filters: await keptFilters(model, 5), recausalise: false, output: masked, dataFile: 'data' });
    assert.deepEqual([...touched], ['k']);
    const { raw } = model.file.structure.graph.initializers.get('k')!;
    const differing = differingBytes(source, masked);
    assert.ok(differing.first >= raw!.start && differing.last < raw!.end, `bytes ${differing.first} to ${differing.last} differ`);
    assert.ok(differing.extra > 0 && differing.extra < 4096, 'only metadata follows');
    await model.close();
  });

  it('fields that onnx-proto does not know survive an export that adds tensors and drops nodes', async () => {
    const message = convolutionModel();
    const unknown = Buffer.from('a field of the future');
    const bytes = Buffer.concat([onnx.ModelProto.encode(message).finish(), encodeField(99, unknown)]);
    const model = await open(await temporary.write('unknown.onnx', bytes));
    const output = temporary.file('lowered.onnx');
    await exportInPlace({ model, plan: planOf(model), filters: await keptFilters(model, 5), lowering: 'dft', recausalise: false, output, dataFile: 'data' });
    const written = fs.readFileSync(output);
    assert.ok(written.includes(unknown));
    const again = await openOnnx(output);
    assert.equal(again.metadata.get('kept'), 'as it is');
    assert.match(again.metadata.get('longconv.surgeon.source')!, /^unknown\.onnx sha256:/);
    assert.match(again.metadata.get('longconv.surgeon.tool')!, /^longconv-surgeon \d/);
    assert.equal((JSON.parse(again.metadata.get('longconv.surgeon.plan')!) as { version: number }).version, 1);
    await again.close();
    await model.close();
  });

  it('a second export replaces the metadata of the first', async () => {
    const first = temporary.file('first.onnx');
    const second = temporary.file('second.onnx');
    let model = await open(await temporary.write('once.onnx', onnx.ModelProto.encode(convolutionModel()).finish()));
    await exportInPlace({ model, plan: planOf(model), filters: await keptFilters(model, 20), recausalise: false, output: first, dataFile: 'data' });
    await model.close();
    model = await open(first);
    await exportInPlace({ model, plan: planOf(model), filters: await keptFilters(model, 10), recausalise: false, output: second, dataFile: 'data' });
    await model.close();
    const keys = onnx.ModelProto.decode(fs.readFileSync(second)).metadataProps.map(({ key }) => key!);
    assert.equal(new Set(keys).size, keys.length);
  });

  it('every official vector decodes to the same after a splice that makes its length fields longer', async () => {
    for (const folder of fs.readdirSync(fixture('onnx-node'))) {
      const source = fixture(`onnx-node/${folder}/model.onnx`);
      const file = await openOnnx(source);
      const { span } = file.structure.graph;
      const info = encodeField(10, Buffer.alloc(20_000, 'x'));
      const output = temporary.file('longer.onnx');
      await writeAtomically(output, (sink) => copyPatched(source, patches([{ parent: span, start: span.end, end: span.end, bytes: info }]), sink));
      const before = onnx.ModelProto.toObject(onnx.ModelProto.decode(fs.readFileSync(source)));
      const after = onnx.ModelProto.toObject(onnx.ModelProto.decode(fs.readFileSync(output)));
      assert.equal((after.graph as onnx.IGraphProto).docString?.length, 20_000);
      const without = (model: onnx.IModelProto): onnx.IModelProto => ({ ...model, graph: { ...model.graph, docString: undefined } });
      assert.deepEqual(without(after), without(before));
      await file.close();
    }
  });

  it('additions to the graph come before additions to the model where the graph is the last of its fields', async () => {
    const { b, u } = signalBuilder();
    const k = b.floats('k', [H, 1, T], decaying(H, T));
    finish(b, addConvolution(b, 'second', b.node('Tanh', 'between', [addConvolution(b, 'first', u, k, T)]), k, T));
    const { graph, ...rest } = onnx.ModelProto.toObject(onnx.ModelProto.decode(encode(b))) as onnx.IModelProto;
    const bytes = Buffer.concat([onnx.ModelProto.encode(rest).finish(), encodeField(7, onnx.GraphProto.encode(onnx.GraphProto.fromObject(graph!)).finish())]);
    const model = await open(await temporary.write('last.onnx', bytes));
    const output = temporary.file('last-out.onnx');
    const filters = await keptFilters(model, 5);
    // The function is added with the first site, and tensors with the second.
    const { touched } = await exportInPlace({ model, plan: planOf(model), filters, lowering: 'function', recausalise: false, output, dataFile: 'data' });
    assert.ok(await verifiedByParts(model, output, filters, touched) < 2e-6);
    await model.close();
  });

  for (const [type, name, store] of [
    [1, 'float_data', (k: Float32Array) => ({ floatData: [...k] })],
    [11, 'double_data', (k: Float32Array) => ({ doubleData: [...k] })],
    [10, 'int32_data of float16', (k: Float32Array) => ({ int32Data: [...k].map((value) => (value > 0 ? 0x3c00 : 0xbc00)) })],
  ] as const) {
    it(`a filter stored as ${name} is read and written back in its own type`, async () => {
      const message = convolutionModel();
      const tensor = message.graph!.initializer!.find((value) => value.name === 'k')!;
      message.graph!.initializer = [{ name: 'k', dims: tensor.dims, dataType: type, ...store(decaying(H, T)) }];
      // The graph computes in float32, whatever the filter is stored as.
      message.graph!.initializer[0].name = 'stored';
      message.graph!.node = [{ opType: 'Cast', name: 'widen', input: ['stored'], output: ['k'], attribute: [{ name: 'to', type: 2, i: 1 }] }, ...message.graph!.node!];
      const file = await temporary.write('typed.onnx', onnx.ModelProto.encode(message).finish());
      const model = await open(file);
      const feeds = randomFeeds(await model.graph(), T, 0, 1);
      const output = temporary.file('typed-out.onnx');
      const filters = await keptFilters(model, 7);
      await exportInPlace({ model, plan: planOf(model), filters, recausalise: false, output, dataFile: 'data' });
      const masked = (await runHere(model, filters, feeds)).get('out');
      assert.ok(relative((await runThere(output, feeds)).get('out'), masked) < 1e-6);
      assert.equal((await model.file.readFloat32('stored')).length, H * T);
      await model.close();
    });
  }
});

describe('ONNX models with data files', () => {
  const temporary = temporaryFolder();

  async function external(folder: string, entries: Readonly<Record<string, string>>, data = decaying(H, T)): Promise<string> {
    const message = convolutionModel();
    message.graph!.initializer = message.graph!.initializer!.map((tensor) => (tensor.name !== 'k' ? tensor : {
      name: 'k', dims: tensor.dims, dataType: 1, dataLocation: onnx.TensorProto.DataLocation.EXTERNAL,
      externalData: Object.entries(entries).map(([key, value]) => ({ key, value })),
    }));
    await temporary.write(`${folder}/weights.bin`, Buffer.concat([Buffer.alloc(64, 7), Buffer.from(data.buffer), Buffer.alloc(64, 9)]));
    return temporary.write(`${folder}/model.onnx`, onnx.ModelProto.encode(message).finish());
  }
  const PLACE = { location: 'weights.bin', offset: '64', length: `${4 * H * T}` };

  it('changed tensors go into a new file beside the old one, or into a copy in another folder', async () => {
    const file = await external('model', PLACE);
    const model = await open(file);
    const feeds = randomFeeds(await model.graph(), T, 0, 1);
    const filters = await keptFilters(model, 7);
    const masked = (await runHere(model, filters, feeds)).get('out');
    const before = sha(path.join(path.dirname(file), 'weights.bin'));

    const beside = path.join(path.dirname(file), 'masked.onnx');
    const { dataFiles } = await exportInPlace({ model, plan: planOf(model), filters, recausalise: false, output: beside, dataFile: 'masked.onnx.data' });
    assert.deepEqual(dataFiles.map((name) => path.basename(name)), ['masked.onnx.data']);
    assert.ok(relative((await runThere(beside, feeds)).get('out'), masked) < 1e-6);
    assert.equal(sha(path.join(path.dirname(file), 'weights.bin')), before);

    fs.mkdirSync(temporary.file('elsewhere'));
    const copy = temporary.file('elsewhere/masked.onnx');
    await exportInPlace({ model, plan: planOf(model), filters, recausalise: false, output: copy, dataFile: 'masked.onnx.data' });
    assert.ok(relative((await runThere(copy, feeds)).get('out'), masked) < 1e-6);
    const [old, now] = [path.join(path.dirname(file), 'weights.bin'), temporary.file('elsewhere/weights.bin')].map((name) => fs.readFileSync(name));
    assert.deepEqual([now.subarray(0, 64), now.subarray(-64)], [old.subarray(0, 64), old.subarray(-64)]);
    await assert.rejects(
      exportInPlace({ model, plan: planOf(model), filters, recausalise: false, output: temporary.file('elsewhere/again.onnx'), dataFile: 'x' }),
      /weights\.bin exists already/);
    await model.close();
  });

  it('an export in the place of an earlier one leaves that whole until the new one is verified, and nothing of it then', async function () {
    this.timeout(60_000);
    const file = await external('twice', PLACE);
    const [plan, out] = ['p.surgery.json', 'masked.onnx'].map((name) => path.join(path.dirname(file), name));
    const dataFiles = (): string[] => fs.readdirSync(path.dirname(file)).filter((name) => /^masked\.onnx.*data$/.test(name));
    const exported = async (taps: number): Promise<CliResult> => {
      await run('plan', file, '--partial', String(taps), '-o', plan);
      return cli('export', plan, '--format', 'onnx', '-o', out);
    };
    assert.equal((await exported(5)).code, 0);
    assert.deepEqual(dataFiles(), ['masked.onnx.data']);
    const whole = [out, `${out}.data`].map(sha);

    fs.mkdirSync(`${out}.unverified/in the way`, { recursive: true });
    const refused = await exported(7);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /masked\.onnx\.unverified/);
    assert.ok(fs.existsSync(`${out}.unverified/in the way`), 'what is not ours stays');
    // The data file is written before the graph, which fails here.
    const model = await open(file);
    await assert.rejects(exportInPlace({ model, plan: planOf(model), filters: await keptFilters(model, 7), recausalise: false, output: `${out}.unverified`, dataFile: 'masked.onnx.1.data' }), /unverified/);
    await model.close();
    assert.deepEqual([out, `${out}.data`].map(sha), whole);
    assert.deepEqual(dataFiles(), ['masked.onnx.data']);

    fs.rmSync(`${out}.unverified`, { recursive: true, force: true });
    for (const expected of ['masked.onnx.1.data', 'masked.onnx.data']) {
      const { code, stderr } = await exported(7);
      assert.equal(code, 0, stderr);
      assert.deepEqual(dataFiles(), [expected]);
    }
  });

  for (const [name, entries, message] of [
    ['an absolute path', { ...PLACE, location: '/etc/passwd' }, /not a path inside the model's folder/],
    ['a way out of the folder', { ...PLACE, location: '../weights.bin' }, /not a path inside the model's folder/],
    ['a way out in the middle', { ...PLACE, location: 'a/../../weights.bin' }, /not a path inside the model's folder/],
    ['a Windows path', { ...PLACE, location: 'C:\\weights.bin' }, /not a path inside the model's folder/],
    ['a missing file', { ...PLACE, location: 'other.bin' }, /which is not there/],
    ['no file', { offset: '0' }, /names no file/],
    ['a range beyond the end', { ...PLACE, offset: '100000' }, /which has only/],
    ['a length that does not fit the shape', { ...PLACE, length: '12' }, /but 12 are given/],
    ['a number that is none', { ...PLACE, offset: '-1' }, /the offset of the external tensor/],
    ['an enormous offset', { ...PLACE, offset: '99999999999999999999' }, /the offset of the external tensor/],
  ] as const) {
    it(`refuses ${name}`, async () => {
      const file = await external('hostile', entries);
      await assert.rejects(openOnnx(file), (error: Error) => error.name === 'UserError' && message.test(error.message));
    });
  }

  it('refuses a link that leaves the folder', async () => {
    const file = await external('linked', { ...PLACE, location: 'link.bin' });
    fs.symlinkSync('/etc/passwd', path.join(path.dirname(file), 'link.bin'));
    await assert.rejects(openOnnx(file), /a link that leaves the model's folder/);
  });
});
