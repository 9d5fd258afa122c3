import * as assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { UserError } from '../../../extension/core/errors';
import type { SafetensorsExport } from '../../../extension/core/export/safetensors';
import { exportSafetensors } from '../../../extension/core/export/safetensors';
import { verifySafetensors } from '../../../extension/core/export/safetensors-verify';
import { stage } from '../../../extension/core/export/staging';
import type { LongConvModel, Site } from '../../../extension/core/families/model';
import { openModel } from '../../../extension/core/families/registry';
import { fingerprint } from '../../../extension/core/formats/fingerprint';
import { bfloat16ToFloat32, float32ToBfloat16 } from '../../../extension/core/formats/float16';
import { openTensorFile } from '../../../extension/core/formats/open';
import { writeSafetensors } from '../../../extension/core/formats/safetensors/write';
import type { TensorFile } from '../../../extension/core/formats/tensor-file';
import type { SurgeryPlan } from '../../../extension/core/plan/plan';
import type { SiteFilter } from '../../../extension/core/plan/site-filter';
import { INDEX, shard } from '../formats/support/shard';
import { fixture, temporaryFolder } from '../support/files';

const MODEL = fixture('golden/hyenadna-hf-a/model.safetensors');
const sha = async (file: string): Promise<string> => createHash('sha256').update(await fs.readFile(file)).digest('hex');

function planFor(model: LongConvModel, print: string, ...sites: string[]): SurgeryPlan {
  return { version: 1, model: { path: 'm', family: model.family, fingerprint: print }, sites: sites.map((site) => ({ site, masks: [{ partial: { taps: 8 } }] })) };
}

function filterOf(site: Site, value: (i: number) => number): SiteFilter {
  const rows = Float32Array.from({ length: site.channels * site.taps }, (_, i) => value(i));
  return { site, parts: [{ channels: [0, site.channels], masked: true, mode: 'causal', filterLength: site.taps, rows }], measures: { filterError: 0, leak: 0, keptBins: 1, keptTaps: 1 } };
}

async function exported(file: string, request: (model: LongConvModel, print: string) => Omit<SafetensorsExport, 'model' | 'recausalise'>): Promise<{ file: TensorFile; close(): Promise<void> }> {
  const model = await openModel(file);
  const print = await fingerprint(file);
  const whole = { model, recausalise: false, ...request(model, print) };
  const changes = await exportSafetensors(whole).catch(async (error: unknown) => {
    await model.close();
    throw error;
  });
  const written = await openTensorFile(whole.output);
  await verifySafetensors(model.file, written, changes);
  return { file: written, close: async () => { await Promise.all([model.close(), written.close()]); } };
}

const none = (output: string) => (model: LongConvModel, print: string) => ({ plan: planFor(model, print), filters: new Map(), form: 'exact', output }) as const;
const baked = (output: string) => (model: LongConvModel, print: string) => {
  const [, site] = model.sites;
  return { plan: planFor(model, print, site.id), filters: new Map([[site.id, filterOf(site, (i) => Math.sin(i))]]), form: 'baked', output } as const;
};
const sidecar = (output: string) => (model: LongConvModel, print: string) => ({ ...baked(output)(model, print), form: 'sidecar' }) as const;

describe('safetensors exports', () => {
  const temporary = temporaryFolder();
  before(async () => fs.mkdir(temporary.file('out')));

  it('a plan without masks copies the file, even one whose header nobody would write', async () => {
    const text = (await fs.readFile(MODEL)).toString('latin1');
    const length = Number((await fs.readFile(MODEL)).readBigUInt64LE());
    const json = JSON.stringify(JSON.parse(text.slice(8, 8 + length)), undefined, 3);
    const head = Buffer.alloc(8);
    head.writeBigUInt64LE(BigInt(json.length));
    const odd = await temporary.write('odd.safetensors', Buffer.concat([head, Buffer.from(json), Buffer.from(text.slice(8 + length), 'latin1')]));
    for (const source of [MODEL, odd]) {
      const output = temporary.file('copy.safetensors');
      await (await exported(source, none(output))).close();
      assert.equal(await sha(output), await sha(source));
    }
  });

  it('a PyTorch checkpoint becomes safetensors with the same tensors', async () => {
    const { file, close } = await exported(fixture('golden/hyenadna-hf-a/pytorch_model.bin'), none(temporary.file('converted.safetensors')));
    assert.equal(file.metadata.get('format'), 'pt');
    assert.match(file.metadata.get('longconv.surgeon.tool') ?? '', /^longconv-surgeon \d/);
    assert.match(file.metadata.get('longconv.surgeon.source') ?? '', /^pytorch_model\.bin sha256:[0-9a-f]{64}$/);
    assert.equal(file.tensors.size, 60);
    await close();
  });

  it('files of a model in several are copied or rewritten only where they must be', async () => {
    const source = await shard(MODEL, temporary.file('source'), 7);
    const names = (await fs.readdir(temporary.file('source'))).sort();
    const changed = async (folder: string): Promise<string[]> => {
      const different: string[] = [];
      for (const name of names) if (await sha(temporary.file(`${folder}/${name}`)) !== await sha(temporary.file(`source/${name}`))) different.push(name);
      assert.deepEqual((await fs.readdir(temporary.file(folder))).sort(), names);
      return different;
    };
    for (const folder of ['same', 'sidecar', 'baked']) await fs.mkdir(temporary.file(folder));
    await (await exported(source, none(temporary.file(`same/${INDEX}`)))).close();
    assert.deepEqual(await changed('same'), []);
    await (await exported(source, sidecar(temporary.file(`sidecar/${INDEX}`)))).close();
    assert.deepEqual(await changed('sidecar'), [names[0]]);

    const model = await openModel(source);
    const touched = new Set(model.sites[1].filterTensors.map((name) => path.basename((model.file as unknown as { shardOf: Map<string, TensorFile> }).shardOf.get(name)!.path)));
    await model.close();
    const { file, close } = await exported(source, baked(temporary.file(`baked/${INDEX}`)));
    assert.deepEqual(await changed('baked'), [...touched, INDEX].sort());
    assert.equal(file.tensors.get('longconv.surgeon.layers.1.mixer.k')?.dtype, 'F32');
    const index = JSON.parse(await fs.readFile(temporary.file(`baked/${INDEX}`), 'utf8')) as { metadata: { total_size: number } };
    assert.equal(index.metadata.total_size, [...file.tensors.values()].reduce((sum, { byteLength }) => sum + byteLength, 0));
    await close();
  });

  it('a model in several files becomes one file too, and one file never several', async () => {
    const source = await shard(MODEL, temporary.file('merge'), 3);
    const { file, close } = await exported(source, none(temporary.file('one.safetensors')));
    assert.equal(file.tensors.size, 56);
    await close();
    await assert.rejects(exported(MODEL, none(temporary.file(`out/${INDEX}`))), (error) => error instanceof UserError && /is not such a model/.test(error.message));
  });

  it('metadata tell the tool, the plan and the source', async () => {
    const { file, close } = await exported(MODEL, baked(temporary.file('meta.safetensors')));
    assert.match(file.metadata.get('longconv.surgeon.tool') ?? '', /^longconv-surgeon \d/);
    assert.match(file.metadata.get('longconv.surgeon.source') ?? '', new RegExp(`${await sha(MODEL)}$`));
    assert.equal((JSON.parse(file.metadata.get('longconv.surgeon.plan') ?? '') as SurgeryPlan).sites[0].site, 'layers.1.mixer');
    await close();
  });

  describe('filters in the type of their tensors', () => {
    const site: Site = { id: 's', layer: 0, channels: 3, taps: 5, direction: 'causal', storage: 'explicit', writeBack: ['exact'], filterTensors: ['k'] };
    const values = Float32Array.from({ length: 15 }, (_, i) => Math.fround(Math.cos(i) / 3));

    async function write(dtype: 'F64' | 'F32' | 'F16' | 'BF16' | 'I32', scale = 1): Promise<{ written: TensorFile; error: number; notes: readonly string[] }> {
      const size = { F64: 8, F32: 4, F16: 2, BF16: 2, I32: 4 }[dtype];
      const source = temporary.file('explicit.safetensors');
      await writeSafetensors(source, [{ name: 'other', dtype: 'U8', shape: [3], data: Uint8Array.of(1, 2, 3) }, { name: 'k', dtype, shape: [3, 1, 5], data: new Uint8Array(15 * size) }], { keepOrder: true });
      const file = await openTensorFile(source);
      const model = {
        family: 'fake', name: 'fake', path: source, file, sites: [site],
        exactTensors: async (_: string, rows: Float32Array) => ({ tensors: [{ name: 'k', shape: [3, 1, 5], data: rows }] }),
      } as unknown as LongConvModel;
      const print = await fingerprint(source);
      const changes = await exportSafetensors({ model, plan: planFor(model, print, 's'), filters: new Map([['s', filterOf(site, (i) => values[i] * scale)]]), form: 'exact', recausalise: false, output: temporary.file('exact.safetensors') });
      const written = await openTensorFile(temporary.file('exact.safetensors'));
      await verifySafetensors(file, written, changes);
      await file.close();
      return { written, error: changes.roundingError, notes: changes.notes };
    }

    it('are exact in F64 and F32, and rounded to nearest in F16 and BF16 with the error reported', async () => {
      for (const dtype of ['F64', 'F32', 'F16', 'BF16'] as const) {
        const { written, error, notes } = await write(dtype);
        assert.deepEqual([written.tensors.get('k')?.dtype, written.tensors.get('k')?.shape], [dtype, [3, 1, 5]]);
        assert.match(written.metadata.get('longconv.surgeon.applied') ?? '', /"site":"s"/);
        const read = await written.readFloat32('k');
        const expected = Math.sqrt(read.reduce((sum, value, i) => sum + (value - values[i]) ** 2, 0) / values.reduce((sum, value) => sum + value ** 2, 0));
        assert.ok(Math.abs(error - expected) <= 1e-12);
        if (dtype === 'F64' || dtype === 'F32') {
          assert.deepEqual(read, values);
          assert.deepEqual(notes, []);
        } else {
          assert.ok(error > 1e-5 && error < (dtype === 'F16' ? 2 ** -11 : 2 ** -8));
          assert.match(notes[0], /rounded to the type of its tensors: relative error \d/);
        }
        if (dtype === 'BF16') assert.deepEqual(read, Float32Array.from(values, (value) => bfloat16ToFloat32(float32ToBfloat16(value))));
        await written.close();
      }
    });

    it('are refused where the type cannot hold them', async () => {
      await assert.rejects(write('F16', 1e6), /larger numbers than that type/);
      await assert.rejects(write('I32'), /holds I32 values, to which a filter cannot be rounded/);
    });
  });

  it('verification finds a changed, a missing, a new and a mistyped tensor', async () => {
    const model = await openModel(MODEL);
    const print = await fingerprint(MODEL);
    const output = temporary.file('broken.safetensors');
    const changes = await exportSafetensors({ model, recausalise: false, ...sidecar(output)(model, print) });
    const whole = await fs.readFile(output);
    const check = async (bytes: Buffer, message: RegExp): Promise<void> => {
      const file = await openTensorFile(await temporary.write('broken.safetensors', bytes));
      await assert.rejects(verifySafetensors(model.file, file, changes), (error) => error instanceof UserError && message.test(error.message));
      await file.close();
    };
    const flipped = Buffer.from(whole);
    flipped[whole.length - 1] ^= 1;
    await check(flipped, /changed tensor/);
    await check(Buffer.from(whole.toString('latin1').replace('"lm_head.weight"', '"lm_head.weighs"'), 'latin1'), /lm_head\.weighs, which it should not have/);
    await check(Buffer.from(whole.toString('latin1').replaceAll('"F32"', '"I32"'), 'latin1'), /another type or shape/);
    await assert.rejects(verifySafetensors(model.file, model.file, { ...changes, added: [{ name: 'new', dtype: 'U8', shape: [0], data: new Uint8Array() }] }), /lacks tensor new/);
    await model.close();
  });

  it('an export is kept only when it is asked to be, and never lies over its source', async () => {
    const source = await openTensorFile(await shard(MODEL, temporary.file('here'), 2));
    await assert.rejects(stage(temporary.file(`here/x.safetensors.index.json`), source), /never written in place/);
    const kept = await stage(temporary.file(`out/${INDEX}`), source);
    await fs.writeFile(kept.output, '{}');
    await fs.writeFile(path.join(path.dirname(kept.output), 'part'), 'x');
    await kept.keep();
    await kept.discard();
    assert.deepEqual((await fs.readdir(temporary.file('out'))).sort(), [INDEX, 'part'].sort());
    const dropped = await stage(temporary.file('out/two.safetensors'), source);
    await fs.writeFile(dropped.output, '{}');
    await dropped.discard();
    assert.deepEqual((await fs.readdir(temporary.file('out'))).sort(), [INDEX, 'part'].sort());
    await source.close();
  });
});
