import * as assert from 'node:assert/strict';
import { assertClose } from '../graph/support/measure';
import { assertFilter, Expected, runModel, withModel } from './golden';

const CASE = 'multihyena-a';

describe('MultiHyena operator', () => {
  it('filters', () => withModel(CASE, undefined, async (model) => {
    assert.deepEqual(model.sites.map(({ id, channels, taps }) => [id, channels, taps]), [['long_conv', 8, 64]]);
    assert.ok(model.notes.some((note) => /4 heads: each of its 8 filters runs 16 times/.test(note)));
    await assertFilter(model, 'long_conv', await Expected.read(CASE), 'filters.k');
  }));
  for (const input of ['full', 'short']) {
    it(`output, ${input}`, () => withModel(CASE, undefined, async (model) => {
      const expected = await Expected.read(CASE);
      const values = Float32Array.from(expected.get(`${input}.input`).values);
      const results = await runModel(model, values, values.length / 32);
      assertClose([...results.values()][0], expected.get(`${input}.out`).values, 1e-4);
    }));
  }
});
