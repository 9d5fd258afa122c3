import { assertFilter, assertRun, Expected, withModel } from './golden';

const CASE = 'evo2-a';

describe('Evo 2 language models', () => {
  it('filters of every kind of block', () => withModel(CASE, undefined, async (model) => {
    const expected = await Expected.read(CASE);
    for (const block of [1, 2]) await assertFilter(model, `blocks.${block}.filter`, expected, `filters.${block}.h`, 1e-6);
  }));
  for (const input of ['full', 'short'] as const) {
    it(`hidden states and logits, ${input}`, () => withModel(CASE, undefined, async (model) => assertRun(model, await Expected.read(CASE), input, 2e-6)));
  }
});
