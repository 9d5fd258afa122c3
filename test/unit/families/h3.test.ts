import { assertFilter, assertRun, Expected, withModel } from './golden';

/** Name; filter tensors by site suffix; layers with sites; inputs that the original computes as a causal convolution. */
const CASES = [
  { name: 'h3-a', tensors: { shift: 'k_shift', diag: 'k_diag' }, layers: [0, 1], inputs: ['full', 'short'], noise: 2e-6 },
  { name: 'h3-attn-a', tensors: { shift: 'k_shift', diag: 'k_diag' }, layers: [0], inputs: ['full', 'short'], noise: 2e-6 },
  { name: 'h3conv-a', tensors: { k_kernel: 'k_kernel', kernel: 'kernel' }, layers: [0, 1], inputs: ['full'], noise: 2e-6 },
] as const;

describe('H3 language models', () => {
  for (const { name, tensors, layers, inputs, noise } of CASES) {
    it(`${name}: filters of every layer`, () => withModel(name, undefined, async (model) => {
      const expected = await Expected.read(name);
      for (const layer of layers) {
        for (const [site, tensor] of Object.entries(tensors)) await assertFilter(model, `layers.${layer}.mixer.${site}`, expected, `filters.${layer}.${tensor}`, noise);
      }
    }));
    for (const input of inputs) {
      it(`${name}: hidden states and logits, ${input}`, () => withModel(name, undefined, async (model) => assertRun(model, await Expected.read(name), input, noise)));
    }
  }
});
