import * as assert from 'node:assert/strict';
import type { OptionOverrides } from '../../../extension/core/families/model';
import type { SiteEvent } from '../../../extension/core/graph/runtime';
import { assertGolden } from './golden-runs';
import { assertRun, Expected, runModel, withModel } from './golden';

/** Name; the first layer's sites with the record of their convolution. */
const CASES: readonly (readonly [name: string, records: Readonly<Record<string, string>>])[] = [
  ['hyenadna-hf-a', { 'layers.0.mixer': 'conv0' }],
  ['hyenadna-lightning-a', { 'layers.0.mixer': 'conv0' }],
  ['hyena-safari-mod-a', { 'layers.0.mixer': 'conv0' }],
  ['hyena-safari-nomod-a', { 'layers.0.mixer': 'conv0' }],
  ['hyena-safari-order3-a', { 'layers.0.mixer.o0': 'conv0' }],
  ['h3-a', { 'layers.0.mixer.shift': 'conv0_shift', 'layers.0.mixer.diag': 'conv0' }],
  ['h3-attn-a', { 'layers.0.mixer.shift': 'conv0_shift', 'layers.0.mixer.diag': 'conv0' }],
  ['h3conv-a', { 'layers.0.mixer.k_kernel': 'conv0_shift', 'layers.0.mixer.kernel': 'conv0' }],
  ['stripedhyena-a', { 'blocks.0.filter': 'conv0' }],
  ['evo1-a', { 'blocks.0.filter': 'conv0' }],
];
/** Of the original float32 runs, relative. */
const NOISE = 1e-5;

/** Input of a convolution, and its output before the gate behind it, with and without the skip term. */
function ofConvolution({ u, preGate, postGate, skip, output, length }: SiteEvent): { u: Float32Array; gate?: Float32Array; y: Float32Array; term: Float32Array } {
  const given = u.map((value, i) => value * (preGate?.[i] ?? 1));
  return { u: given, gate: postGate && Float32Array.from(postGate), y: Float32Array.from(output), term: given.map((value, i) => value * (skip?.[Math.floor(i / length)] ?? 0)) };
}

describe('first convolutions of the golden language models', () => {
  for (const [name, records] of CASES) {
    for (const input of ['full', 'short']) {
      it(`${name}, ${input}: what goes in and what comes out`, () => withModel(name, undefined, async (model) => {
        const expected = await Expected.read(name);
        const ids = expected.ids(`${input}.input_ids`);
        const seen = new Map<string, ReturnType<typeof ofConvolution>>();
        await runModel(model, ids, ids.length, undefined, (event) => {
          if (records[event.site] !== undefined) seen.set(event.site, ofConvolution(event));
        });
        for (const [site, record] of Object.entries(records)) {
          const { u, gate, y, term } = seen.get(site)!;
          assertGolden(u, expected, `${input}.${record}.u`, 1e-4, NOISE);
          const bare = `${input}.${record}.y_nobias`;
          const whole = `${input}.${record}.y`;
          const names = expected.names(new RegExp(`^${input}\\.${record}\\.y(_nobias)?$`));
          assert.ok(names.length > 0);
          for (const stored of names) {
            // The gate is part of a site's output, so the record is gated too.
            const { values, exact } = expected.get(stored);
            const wanted = values.map((value, i) => (value + (stored === bare ? term[i] : 0)) * (gate?.[i] ?? 1));
            const norm = Math.hypot(...wanted);
            const error = Math.hypot(...wanted.map((value, i) => value - y[i])) / norm;
            assert.ok(norm > 0 && error <= (exact ? 1e-4 : 1e-4 + 5 * NOISE), `${stored === whole ? whole : bare}: relative error ${error}`);
          }
        }
      }));
    }
  }
});

describe('HyenaDNA golden models', () => {
  const RUNS: readonly (readonly [name: string, input: 'full' | 'short', prefix: string, options?: OptionOverrides])[] = [
    ['hyenadna-hf-a', 'full', ''], ['hyenadna-hf-a', 'short', ''], ['hyenadna-lightning-a', 'full', ''], ['hyenadna-lightning-a', 'short', ''],
    ['hyenadna-lightning-a', 'full', 'shift005.', { shift: 0.05 }], ['hyenadna-lightning-a', 'short', 'shift005.', { shift: 0.05 }],
  ];
  for (const [name, input, prefix, options] of RUNS) {
    it(`${name}, ${prefix}${input}: hidden states and logits`, () => withModel(name, options, async (model) => {
      const expected = await Expected.read(name);
      if (prefix === '') return assertRun(model, expected, input, 1e-6);
      const ids = expected.ids(`${input}.input_ids`);
      const names = expected.names(new RegExp(`^${prefix.replace('.', '\\.')}${input}\\.(final_norm|logits)$`));
      assert.ok(names.length > 0);
      for (const stored of names) {
        const value = stored.slice(prefix.length + input.length + 1);
        assertGolden((await runModel(model, ids, ids.length, [value])).get(value)!, expected, stored, 1e-4, 1e-6);
      }
    }));
  }
});
