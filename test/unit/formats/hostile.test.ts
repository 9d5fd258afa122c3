import * as assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { GraphView } from '../../../extension/core/families/onnx/graph-view';
import { openModel } from '../../../extension/core/families/registry';
import { openOnnx } from '../../../extension/core/formats/onnx/read';
import { formatPlan, loadPlan } from '../../../extension/core/plan/read';
import { frequency, plan } from '../plan/support/plans';
import { fixture, temporaryFolder } from '../support/files';
import { fuzz, readEnds, survives } from './support/fuzz';
import { pickle, Raw, tensor } from './support/pickle-writer';
import { INDEX, shard } from './support/shard';
import { zip } from './support/zip-writer';

/** Content of the entries of a ZIP file that stores them, by its directory. */
function entriesOf(archive: Buffer): { name: string; content: Buffer }[] {
  const entries: { name: string; content: Buffer }[] = [];
  for (let at = archive.indexOf('PK\x01\x02'); at >= 0 && archive.readUInt32LE(at) === 0x02014b50;) {
    const [size, nameLength, local] = [archive.readUInt32LE(at + 24), archive.readUInt16LE(at + 28), archive.readUInt32LE(at + 42)];
    const begin = local + 30 + archive.readUInt16LE(local + 26) + archive.readUInt16LE(local + 28);
    entries.push({ name: archive.toString('utf8', at + 46, at + 46 + nameLength), content: archive.subarray(begin, begin + size) });
    at += 46 + nameLength + archive.readUInt16LE(at + 30) + archive.readUInt16LE(at + 32);
  }
  return entries;
}

describe('hostile model files', () => {
  const temporary = temporaryFolder();
  const all = (folder: string, end: RegExp): Buffer[] => fs.readdirSync(fixture(folder)).filter((name) => end.test(name)).map((name) => fs.readFileSync(path.join(fixture(folder), name)));
  const archives = all('torch-checkpoint', /\.pt$/).filter((bytes) => bytes.toString('latin1', 0, 2) === 'PK');

  const mutated = (name: string, corpus: readonly Buffer[], make: (mutant: Buffer) => Buffer = (mutant) => mutant): Promise<void> =>
    fuzz(corpus, async (bytes) => survives(await temporary.write(name, make(bytes))));

  it('safetensors: mutations of every vector', () => mutated('x.safetensors', all('safetensors', /\.st$/)));
  it('PyTorch: mutations of archives', () => mutated('x.pt', archives));
  it('PyTorch: mutations of pickles in sound archives', async () => {
    const isPickle = ({ name }: { name: string }): boolean => name.endsWith('/data.pkl');
    const parts = archives.map(entriesOf);
    // The mutant goes to the archive whose folder its bytes begin with, so that it finds its storages.
    const labelled = parts.map((entries, i) => Buffer.concat([Buffer.from([i]), entries.find(isPickle)!.content]));
    await mutated('x.pt', labelled, (mutant) => {
      const entries = parts[(mutant[0] ?? 0) % parts.length];
      return zip(entries.map((entry) => (isPickle(entry) ? { ...entry, content: mutant.subarray(1) } : entry)));
    });
  });
  it('PyTorch: mutations of legacy files', () => mutated('x.pt', all('torch-checkpoint', /legacy\.pt$/)));
  it('indexes: mutations', async () => {
    const index = await shard(fixture('golden/hyenadna-hf-a/model.safetensors'), temporary.file('parts'), 3);
    await mutated(`parts/${INDEX}`, [fs.readFileSync(index)]);
  });

  it('ONNX: mutations of every vector', async () => {
    const files = [
      ...fs.readdirSync(fixture('onnx-longconv')).map((name) => fixture(`onnx-longconv/${name}`)),
      ...fs.readdirSync(fixture('onnx-node')).map((name) => fixture(`onnx-node/${name}/model.onnx`)),
    ];
    await fuzz(files.map((file) => fs.readFileSync(file)), async (bytes) => survives(await temporary.write('x.onnx', bytes), async (file) => {
      await readEnds(file);
      const model = await openOnnx(file);
      try {
        new GraphView(model);
      } finally {
        await model.close();
      }
    }));
  });
  it('config.json: mutations', async () => {
    fs.mkdirSync(temporary.file('model'));
    fs.copyFileSync(fixture('golden/hyenadna-hf-a/model.safetensors'), temporary.file('model/model.safetensors'));
    const choice = { longconv_sites: [{ id: 'a', tensor: 'hyena.backbone.layers.0.mixer.out_proj.weight', direction: 'circular', flipped: true }] };
    const corpus = [fs.readFileSync(fixture('golden/hyenadna-hf-a/config.json')), Buffer.from(JSON.stringify(choice))];
    const weights = temporary.file('model/model.safetensors');
    await fuzz(corpus, async (bytes) => {
      await temporary.write('model/config.json', bytes);
      return survives(weights, async () => (await openModel(weights)).close());
    });
  });
  it('plans: mutations', async () => {
    const masks = [{ channels: [0, 1] as const, frequency: frequency({ kind: 'cells', cells: { digits: [0, 2], runs: [0, 5, 16, 3] } }) }, { channels: [1, 2] as const, partial: { taps: 100, taper: 10 } }];
    await fuzz([Buffer.from(formatPlan(plan(...masks))), Buffer.from(formatPlan(plan({ frequency: frequency({ kind: 'block', counts: [8, 8, 8] }, 'gain') })))], async (bytes) =>
      survives(await temporary.write('x.surgery.json', bytes), loadPlan));
  });
  it('deep and long JSON', async () => {
    const deep = [Buffer.alloc(1_000_000, '['), Buffer.alloc(3_000_000, '{"a":'), Buffer.from(`{"weight_map":${'['.repeat(200_000)}${']'.repeat(200_000)}}`), Buffer.from(`{"version":1,"model":{},"sites":[${'{},'.repeat(300_000)}{}]}`)];
    for (const bytes of deep) {
      assert.equal(await survives(await temporary.write('x.surgery.json', bytes), loadPlan), 'refused');
      assert.equal(await survives(await temporary.write('model.safetensors.index.json', bytes)), 'refused');
    }
  });

  it('every vector and checkpoint cut anywhere', async () => {
    for (const bytes of [...archives, ...all('torch-checkpoint', /legacy\.pt$/)]) {
      for (let length = 0; length < bytes.length; length += 331) {
        await survives(await temporary.write('x.pt', bytes.subarray(0, length)));
      }
    }
  });

  /** A pickle of 5 million bytes of the given instructions. */
  const long = (start: string, repeated: string, end = '.'): Buffer => Buffer.concat([Buffer.from([0x80, 2]), Buffer.from(start, 'latin1'), Buffer.alloc(5_000_000, repeated, 'latin1'), Buffer.from(end, 'latin1')]);
  const floods: readonly (readonly [what: string, bytes: () => Buffer])[] = [
    ['marks', () => long('', '(')], ['dicts', () => long('', '}')], ['lists', () => long('', ']')], ['tuples', () => long('', ')')], ['nested tuples', () => long('N', '\x85')], ['nested lists', () => long(']', ']a')],
    ['numbers', () => long('', 'J\x01\x02\x03\x04')], ['fractions', () => long('](', 'G?\xb9\x99\x99\x99\x99\x99\x9a', 'e.')], ['memo entries', () => long('N', 'q\x01r\x01\x01\x00\x00')], ['long numbers', () => long('](', `\x8a\xff${'\x7f'.repeat(255)}`, 'e.')],
    ['strings', () => long('](', 'X\x01\x00\x00\x00a', 'e.')], ['names', () => long('](', 'cmodule\nname\n', 'e.')], ['one name', () => long('c', 'a', '\na\n.')], ['calls', () => long('cmodule\nname\n', ')R')], ['classes', () => long('cmodule\nname\n', ')\x81')],
    ['copies of a list', () => long(`](${'N'.repeat(9000)}eq\0(`, 'c__builtin__\nlist\nh\0\x85R', 't.')], ['copies of a dict', () => long(`}(${'K\x01N'.repeat(900)}uq\0(`, 'ccollections\nOrderedDict\nh\0\x85R', 't.')],
    ['items of one key', () => long('}', 'K\x01Ns')], ['a string without end', () => long('X\xff\xff\xff\xff', 'a')],
  ];
  for (const [what, bytes] of floods) {
    for (const form of what.startsWith('long') || what.startsWith('a string') ? ['zip', 'legacy'] : ['zip']) {
      it(`${form}: a flood of ${what}`, async () => {
        const flood = form === 'zip' ? zip([{ name: 'a/data.pkl', content: bytes() }])
          : Buffer.concat([pickle(0x1950a86a20f9469cfc6cn), pickle(1001), pickle(new Map([['little_endian', true]])), bytes()]);
        await survives(await temporary.write('x.pt', flood));
      });
    }
  }

  it('many tensors of one storage', async () => {
    const one = pickle(tensor('0', 1, [1])).subarray(2, -1);
    const body = Buffer.concat([Buffer.from(']('), ...Array.from({ length: 20_000 }, () => one), Buffer.from('e')]);
    await survives(await temporary.write('x.pt', zip([{ name: 'a/data.pkl', content: pickle(new Raw(body)) }, { name: 'a/data/0', content: new Uint8Array(4) }])));
  });

  it('an archive of many entries', async () => {
    const archive = zip(Array.from({ length: 50_000 }, (_, i) => ({ name: `a/data/${i}`, content: new Uint8Array(1) })), { zip64: true });
    assert.equal(await survives(await temporary.write('x.pt', archive)), 'refused');
  });

  it('an archive in an archive that claims to be enormous', async () => {
    const archive = zip([{ name: 'a/data.pkl', content: Buffer.alloc(1 << 20), compressed: true }]);
    archive.writeUInt32LE(0xfffffff0, archive.lastIndexOf('PK\x01\x02') + 24);
    assert.equal(await survives(await temporary.write('x.pt', archive)), 'refused');
  });
});
