import { assertFilter, assertRun, Expected, withModel } from './golden';

/** Name; blocks with filters; noise of the original's float32 outputs, relative. */
const CASES = [
  { name: 'stripedhyena-a', blocks: [0, 2], noise: 2e-6 },
  { name: 'evo1-a', blocks: [0, 2], noise: 2e-6 },
] as const;

describe('StripedHyena and Evo language models', () => {
  for (const { name, blocks, noise } of CASES) {
    it(`${name}: filters of every block`, () => withModel(name, undefined, async (model) => {
      const expected = await Expected.read(name);
      for (const block of blocks) await assertFilter(model, `blocks.${block}.filter`, expected, `filters.${block}.h`, noise);
    }));
    for (const input of ['full', 'short'] as const) {
      it(`${name}: hidden states and logits, ${input}`, () => withModel(name, undefined, async (model) => assertRun(model, await Expected.read(name), input, noise)));
    }
  }
});
