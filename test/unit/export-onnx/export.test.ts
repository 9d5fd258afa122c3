import * as assert from 'node:assert/strict';
import * as fs from 'node:fs/promises';
import * as os from 'node:os';
import * as path from 'node:path';
import { exportOnnx, type Lowering, type OnnxExportResult, verifyOnnx } from '../../../extension/core/export/onnx';
import { onnx } from '../../../extension/core/graph/onnx';
import { ModelRunner } from '../../../extension/core/graph/runtime';
import type { SiteFilter } from '../../../extension/core/plan/site-filter';
import { OnnxSessions } from '../../../extension/kernel-host/onnx-sessions';
import { causalFilter, denseFilters, GOLDEN, openTinyModel, siteFilter, siteOf, type TinyModel } from '../graph/support/hyenadna';
import { noise, relativeError } from '../graph/support/measure';
import { referenceEngine } from '../graph/support/reference-engine';
import { gridPart } from './support/grid-part';

const sessions = new OnnxSessions();
const PLAN = { version: 1, model: { path: 'model.safetensors', family: 'hyenadna', fingerprint: 'sha256:00' }, sites: [] } as const;
const LENGTH = 32;
const tokens = (length: number): Int32Array => Int32Array.from(noise(length, 5), (x) => 7 + Math.floor(2 * (x + 1)));

async function nativeRun(model: TinyModel, filters: Map<string, SiteFilter>, length: number): Promise<Float32Array> {
  const runner = await ModelRunner.create({ graph: model.graph, sessions, engine: referenceEngine, filters, maxLength: 200 });
  try {
    return await runner.run(tokens(length), 1, length);
  } finally {
    await runner.dispose();
  }
}

/** Filters of the four kinds that surgery makes, on both sites of the model. */
function surgeries(model: TinyModel): Record<string, Map<string, SiteFilter>> {
  const { dModel, maxLength } = model.network;
  const each = (make: (rows: Float32Array, id: string) => SiteFilter): Map<string, SiteFilter> =>
    new Map([...model.rows].map(([id, rows]) => [id, make(rows, id)]));
  const site = (id: string): ReturnType<typeof siteOf> => siteOf(id, dModel, maxLength);
  return {
    dense: denseFilters(model),
    partial: each((rows, id) => causalFilter(site(id), rows, 9)),
    'on a grid': each((rows, id) => siteFilter(site(id), [gridPart(rows, maxLength, [0, dModel], 128)])),
    'on the smallest grid': each((rows, id) => siteFilter(site(id), [gridPart(rows, maxLength, [0, dModel], 2 * LENGTH)])),
    'by channel ranges': each((rows, id) => siteFilter(site(id), [
      { ...causalFilter(siteOf(id, 10, maxLength), rows, 5).parts[0], channels: [0, 10] },
      gridPart(rows, maxLength, [10, 17], 64),
      gridPart(rows, maxLength, [17, 31], 128),
      { channels: [31, dModel], masked: false, mode: 'causal', filterLength: maxLength, rows: rows.slice(31 * maxLength) },
    ], 0.7)),
  };
}

describe('ONNX export', () => {
  let model: TinyModel;
  let folder: string;
  before(async () => {
    model = await openTinyModel(path.join(GOLDEN, 'hyenadna-hf-a', 'model.safetensors'), 0.05);
    folder = await fs.mkdtemp(path.join(os.tmpdir(), 'onnx-export-'));
  });
  after(() => fs.rm(folder, { recursive: true }));

  interface Written extends OnnxExportResult { readonly output: string }
  const write = async (filters: Map<string, SiteFilter>, lowering?: Lowering, length = LENGTH): Promise<Written> => {
    const output = path.join(folder, 'model.onnx');
    const result = await exportOnnx({
      graph: model.graph, filters, length, lowering, output, source: { name: 'model.safetensors', fingerprint: 'sha256:00' }, plan: PLAN,
    });
    return { ...result, output };
  };

  for (const kind of ['dense', 'partial', 'on a grid', 'on the smallest grid', 'by channel ranges']) {
    for (const lowering of ['dft', 'conv', 'function'] as const) {
      it(`${lowering}: filters ${kind} give the native logits in plain ONNX Runtime`, async () => {
        const filters = surgeries(model)[kind];
        const { output } = await write(filters, lowering);
        for (const length of [1, 2, 23, LENGTH]) {
          const expected = await nativeRun(model, filters, length);
          const error = await verifyOnnx(output, sessions, tokens(length), 1, length, expected);
          assert.ok(error <= 2e-6, `length ${length}: ${error}`);
        }
      });
    }
  }

  it('masks change the logits, so that the comparisons above mean something', async () => {
    const all = surgeries(model);
    const dense = await nativeRun(model, all['dense'], LENGTH);
    for (const kind of ['partial', 'on a grid', 'by channel ranges']) {
      assert.ok(relativeError(await nativeRun(model, all[kind], LENGTH), dense) > 0.05, kind);
    }
  });

  it('batches of sequences go through one graph', async () => {
    const { output } = await write(denseFilters(model), 'dft');
    const one = await nativeRun(model, denseFilters(model), LENGTH);
    const twice = new Float32Array(2 * one.length);
    twice.set(one);
    twice.set(one, one.length);
    const ids = Int32Array.from([...tokens(LENGTH), ...tokens(LENGTH)]);
    assert.ok((await verifyOnnx(output, sessions, ids, 2, LENGTH, twice)) <= 2e-6);
  });

  for (const lowering of ['dft', 'conv', 'function'] as const) {
    it(`${lowering}: an input longer than the export's length makes the graph fail`, async () => {
      const { output } = await write(denseFilters(model), lowering);
      await assert.rejects(
        verifyOnnx(output, sessions, tokens(LENGTH + 1), 1, LENGTH + 1, new Float32Array(0)), /inputs_of_at_most_32_samples/,
      );
    });
  }

  it('conv: partial filters take inputs of any length', async () => {
    const filters = surgeries(model)['partial'];
    const { output, notes } = await write(filters, 'conv', 4);
    assert.match(notes[1], /any length/);
    assert.ok((await verifyOnnx(output, sessions, tokens(150), 1, 150, await nativeRun(model, filters, 150))) <= 2e-6);
  });

  for (const lowering of ['dft', 'conv', 'function'] as const) {
    it(`${lowering}: circular filters go around the one length they are exported for`, async () => {
      const filters = new Map([...model.rows].map(([id, rows]) => {
        const site = { ...siteOf(id, 32, 20), direction: 'circular' as const };
        const part = { ...causalFilter(siteOf(id, 32, 66), rows, 20).parts[0], masked: false, mode: 'circular' as const };
        return [id, siteFilter(site, [part])];
      }));
      const { output } = await write(filters, lowering, 27);
      const runner = await ModelRunner.create({ graph: model.graph, sessions, engine: referenceEngine, filters, maxLength: 27 });
      const expected = await runner.run(tokens(27), 1, 27);
      assert.ok((await verifyOnnx(output, sessions, tokens(27), 1, 27, expected)) <= 2e-6);
      await assert.rejects(runner.run(tokens(26), 1, 26), /exactly 27/);
      await runner.dispose();
      await assert.rejects(verifyOnnx(output, sessions, tokens(26), 1, 26, expected), /Got: 26 Expected: 27/);
    });
  }

  it('chooses conv for short filters and dft for long ones, and says so', async () => {
    assert.equal((await write(denseFilters(model))).lowering, 'conv');
    const site = siteOf('layers.0.mixer', 32, 600);
    const long = causalFilter(site, noise(32 * 600, 1));
    const result = await write(new Map([...denseFilters(model), [site.id, long]]), undefined, 512);
    assert.equal(result.lowering, 'dft');
    assert.match(result.notes[0], /512 taps/);
  });

  it('contains no inverse DFT that is one-sided, and no foreign operators where it is lowered', async () => {
    const { output } = await write(surgeries(model)['on a grid'], 'dft');
    const decoded = onnx.ModelProto.decode(await fs.readFile(output));
    assert.deepEqual(decoded.opsetImport.map(({ domain }) => domain ?? ''), ['']);
    for (const node of decoded.graph!.node!.filter(({ opType }) => opType === 'DFT')) {
      const flag = (name: string): number => Number(node.attribute!.find((a) => a.name === name)?.i ?? 0);
      assert.ok(!(flag('inverse') && flag('onesided')));
    }
  });

  it('says in its metadata where it comes from and what was done', async () => {
    const { output } = await write(denseFilters(model), 'dft');
    const { metadataProps } = onnx.ModelProto.decode(await fs.readFile(output));
    const values = Object.fromEntries(metadataProps.map(({ key, value }) => [key, value]));
    assert.equal(values['longconv.surgeon.source'], 'model.safetensors sha256:00');
    assert.deepEqual(JSON.parse(values['longconv.surgeon.plan']!), PLAN);
    assert.equal(values['longconv.surgeon.lowering'], 'dft');
    assert.equal(values['longconv.surgeon.length'], String(LENGTH));
  });

  it('refuses a grid that is too small for the length, a missing filter, and a file beyond 2 GiB, in a sentence', async () => {
    await assert.rejects(write(surgeries(model)['on the smallest grid'], 'dft', 33), /at most 32 samples, not 33/);
    await assert.rejects(write(new Map(), 'dft'), /no filter for site layers\.0\.mixer/);
    await assert.rejects(write(surgeries(model)['on a grid'], 'dft', 0), /at least 1 sample/);
    const huge = siteOf('layers.0.mixer', 32, 2 ** 25);
    const unread = new Float32Array(0);
    const filter = siteFilter(huge, [{ channels: [0, 32], masked: false, mode: 'causal', filterLength: 2 ** 25, rows: unread }]);
    await assert.rejects(write(new Map([[huge.id, filter]]), 'dft', 2 ** 25), /4\.0 GiB/);
  });

  it('leaves the target as it was when it fails', async () => {
    const output = path.join(folder, 'model.onnx');
    await fs.writeFile(output, 'precious');
    await assert.rejects(write(new Map(), 'dft'));
    assert.equal(await fs.readFile(output, 'utf8'), 'precious');
    assert.deepEqual(await fs.readdir(folder), ['model.onnx']);
  });
});
