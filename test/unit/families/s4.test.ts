import * as assert from 'node:assert/strict';
import { GOLDEN, Expected, withModel } from './golden';
import { openModel } from '../../../extension/core/families/registry';
import { assertGolden, filterRows, runValues } from './golden-runs';

/** The first `length` columns of rows. */
const prefix = (rows: Float32Array, columns: number, length: number): Float32Array =>
  Float32Array.from({ length: (rows.length / columns) * length }, (_, i) => rows[Math.floor(i / length) * columns + (i % length)]);

describe('S4 layers', () => {
  const LAYERS = [
    { name: 's4d-a', filters: { 'filters.k': 64 }, inputs: ['full', 'short'] },
    { name: 's4block-diag-a', filters: { 'filters.k': 64, 'filters.short.k': 41 }, inputs: ['full', 'short'] },
    { name: 's4-dplr-a', filters: { 'filters.k': 64, 'filters.short.k': 41, 'filters.long.k': 100 }, inputs: ['full', 'short', 'long'] },
  ] as const;
  for (const { name, filters, inputs } of LAYERS) {
    it(`${name}: filters at every length, from the beginning or from the middle`, () => withModel(name, { l_max: 128 }, async (model) => {
      const expected = await Expected.read(name);
      const rows = await filterRows(model, 'layer');
      for (const [tensor, length] of Object.entries(filters)) assertGolden(prefix(rows, 128, length), expected, tensor, 1e-5, 3e-6);
      const middle = await filterRows(model, 'layer', 10, 20);
      assert.deepEqual([...middle.subarray(0, 10)], [...rows.subarray(10, 20)]);
      assert.deepEqual([...(await filterRows(model, 'layer', 5, 9)).subarray(4, 8)], [...rows.subarray(128 + 5, 128 + 9)]);
    }));

    for (const input of inputs) {
      it(`${name}: convolution and output, ${input}`, () => withModel(name, { l_max: 128 }, async (model) => {
        const expected = await Expected.read(name);
        const u = Float32Array.from(expected.get(`${input}.u`).values);
        let convolved: Float32Array | undefined;
        const out = (await runValues(model, { input: u, length: u.length / 32, onSite: ({ output }) => { convolved = Float32Array.from(output); } })).get('')!;
        assertGolden(convolved!, expected, `${input}.conv0.y`, 1e-5, 3e-6);
        assertGolden(out, expected, `${input}.out`, 1e-5, 3e-6);
      }));
    }
  }

  it('takes its length from the tuned state matrices where nothing else names one', async () => {
    const model = await openModel(GOLDEN('s4-dplr-a'));
    assert.equal(model.maxLength, 64);
    assert.equal(model.growsWith, 'l_max');
    await model.close();
  });
});

describe('SaShiMi', () => {
  it('has the filters of every tier', () => withModel('sashimi-a', undefined, async (model) => {
    const expected = await Expected.read('sashimi-a');
    assert.deepEqual(model.sites.map(({ id, taps, rate }) => [id, taps, rate]), [['c_layers.0', 12, 1 / 8], ['u_layers.0.1', 48, 1 / 2], ['u_layers.1.1', 96, 1]]);
    assert.deepEqual([model.maxLength, model.lengthMultiple], [96, 8]);
    for (const { id } of model.sites) assertGolden(await filterRows(model, id), expected, `filters.${id}.layer.layer.kernel.k`, 1e-5, 6e-6);
  }));

  for (const input of ['full', 'short'] as const) {
    it(`gives every stage and the logits, ${input}`, () => withModel('sashimi-a', undefined, async (model) => {
      const expected = await Expected.read('sashimi-a');
      const ids = expected.ids(`${input}.input_ids`);
      const stages = expected.names(new RegExp(`^${input}\\.stage\\.`)).map((name) => name.slice(input.length + 1));
      assert.ok(stages.length >= 8);
      const values = await runValues(model, { input: ids, length: ids.length }, [...stages, '']);
      for (const stage of stages) assertGolden(values.get(stage)!, expected, `${input}.${stage}`, 1e-4, 6e-6);
      assertGolden(values.get('')!, expected, `${input}.logits`, 1e-4);
    }));
  }
});
