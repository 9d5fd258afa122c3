import { assertFilter, assertRun, Expected, withModel } from './golden';

/** Name; filter tensors of each layer by site suffix; noise of the original's float32 filters and outputs, relative (golden README). */
const CASES = [
  ['hyena-safari-mod-a', { '': 'k' }, 1e-5, 1e-5],
  ['hyena-safari-nomod-a', { '': 'k' }, 1e-5, 1e-5],
  ['hyena-safari-order3-a', { '.o0': 'o0.k', '.o1': 'o1.k' }, 1e-5, 2e-5],
] as const;

describe('Hyena (safari) language models', () => {
  for (const [name, tensors, filterNoise, outputNoise] of CASES) {
    it(`${name}: filters of every layer`, () => withModel(name, undefined, async (model) => {
      const expected = await Expected.read(name);
      for (const layer of [0, 1]) {
        for (const [suffix, tensor] of Object.entries(tensors)) await assertFilter(model, `layers.${layer}.mixer${suffix}`, expected, `filters.${layer}.${tensor}`, filterNoise);
      }
    }));
    for (const input of ['full', 'short'] as const) {
      it(`${name}: hidden states and logits, ${input}`, () => withModel(name, undefined, async (model) => assertRun(model, await Expected.read(name), input, outputNoise)));
    }
  }
});
