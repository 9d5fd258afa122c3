import * as assert from 'node:assert/strict';
import type { OptionOverrides } from '../../../extension/core/families/model';
import type { SiteEvent } from '../../../extension/core/graph/runtime';
import { relativeError } from '../graph/support/measure';
import { spectralEngine } from '../plan/support/spectral-engine';
import { assertGolden, goldenInput, runValues } from './golden-runs';
import { assertRun, Expected, runModel, withModel } from './golden';

/** Name; sites with the record of their convolution. */
const CASES: readonly (readonly [name: string, records: Readonly<Record<string, string>>, options?: OptionOverrides, inputs?: readonly string[]])[] = [
  ['hyenadna-hf-a', { 'layers.0.mixer': 'conv0' }],
  ['hyenadna-lightning-a', { 'layers.0.mixer': 'conv0' }],
  ['hyena-safari-mod-a', { 'layers.0.mixer': 'conv0' }],
  ['hyena-safari-nomod-a', { 'layers.0.mixer': 'conv0' }],
  ['hyena-safari-order3-a', { 'layers.0.mixer.o0': 'conv0' }],
  ['m2bert-a', { 'layers.0.filter_fn': 'conv0', 'layers.0.filter_fn2': 'conv0_residual' }],
  ['m2bert-adds-a', { 'layers.0.filter_fn': 'conv0', 'layers.0.filter_fn2': 'conv0_residual' }],
  ['h3-a', { 'layers.0.mixer.shift': 'conv0_shift', 'layers.0.mixer.diag': 'conv0' }, { length: 100 }],
  ['h3-attn-a', { 'layers.0.mixer.shift': 'conv0_shift', 'layers.0.mixer.diag': 'conv0' }, { length: 100 }],
  ['h3conv-a', { 'layers.0.mixer.k_kernel': 'conv0_shift', 'layers.0.mixer.kernel': 'conv0' }],
  ['longconv-a', { layer: 'conv0' }],
  ['longconv-bidir-a', { layer: 'conv0' }],
  ['longconv-model-a', { 'conv_layers.0': 'conv0' }],
  ['s4d-a', { layer: 'conv0' }],
  ['s4block-diag-a', { layer: 'conv0' }],
  ['s4-dplr-a', { layer: 'conv0' }, { l_max: 100 }, ['full', 'short', 'long']],
  ['sashimi-a', { 'c_layers.0': 'conv0' }],
  ['stripedhyena-a', { 'blocks.0.filter': 'conv0' }, { length: 64 }],
  ['evo1-a', { 'blocks.0.filter': 'conv0' }, { length: 64 }],
  ['evo2-a', { 'blocks.0.filter': 'conv0', 'blocks.1.filter': 'conv1', 'blocks.2.filter': 'conv2' }, { length: 160 }],
];
/** Of the original float32 runs, relative. */
const NOISE = 1e-5;

/** Input of a convolution, and its output before the gate behind it, with and without the skip term. */
function ofConvolution({ u, preGate, postGate, skip, output, length }: SiteEvent): { u: Float32Array; gate?: Float32Array; y: Float32Array; term: Float32Array } {
  const given = u.map((value, i) => value * (preGate?.[i] ?? 1));
  return { u: given, gate: postGate && Float32Array.from(postGate), y: Float32Array.from(output), term: given.map((value, i) => value * (skip?.[Math.floor(i / length)] ?? 0)) };
}

describe('first convolutions of the golden models', () => {
  for (const [name, records, options, inputs = ['full', 'short']] of CASES) {
    for (const input of inputs) {
      it(`${name}, ${input}: what goes in and what comes out`, () => withModel(name, options, async (model) => {
        const expected = await Expected.read(name);
        const seen = new Map<string, ReturnType<typeof ofConvolution>>();
        await runValues(model, {
          ...goldenInput(expected, input), engine: spectralEngine,
          onSite: (event) => {
            if (records[event.site] !== undefined) seen.set(event.site, ofConvolution(event));
          },
        });
        for (const [site, record] of Object.entries(records)) {
          const { u, gate, y, term } = seen.get(site)!;
          for (const stored of expected.names(new RegExp(`^${input}\\.${record}\\.u$`))) {
            // Where a site has several filters for each channel, it sees the channels as often.
            assertGolden(u.subarray(0, expected.get(stored).values.length), expected, stored, 1e-4, NOISE);
          }
          const names = expected.names(new RegExp(`^${input}\\.${record}\\.y(_nobias)?$`));
          assert.ok(names.length > 0);
          for (const stored of names) {
            // The gate is part of a site's output, so the record is gated too.
            const { values, exact } = expected.get(stored);
            const wanted = values.map((value, i) => (value + (stored.endsWith('_nobias') ? term[i] : 0)) * (gate?.[i] ?? 1));
            const error = relativeError(y, wanted);
            assert.ok(error <= (exact ? 1e-4 : 1e-4 + 5 * NOISE), `${stored}: relative error ${error}`);
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
