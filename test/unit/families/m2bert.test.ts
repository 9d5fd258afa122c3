import * as assert from 'node:assert/strict';
import { writeSafetensors, copiedTensor, type TensorEntry } from '../../../extension/core/formats/safetensors/write';
import { checkLength } from '../../../extension/core/families/check-length';
import { openModel } from '../../../extension/core/families/registry';
import { openSafetensors } from '../../../extension/core/formats/safetensors/read';
import { temporaryFolder } from '../support/files';
import * as path from 'node:path';
import { Expected, GOLDEN, withModel } from './golden';
import { assertGolden, bothWays, filterRows, runValues } from './golden-runs';

/** Largest difference of the filters in the original float32 run (golden README). */
const NOISE = 9e-7;

describe('M2-BERT', () => {
  for (const name of ['m2bert-a', 'm2bert-adds-a']) {
    it(`${name}: filters both ways of every layer`, () => withModel(name, undefined, async (model) => {
      const expected = await Expected.read(name);
      for (const layer of [0, 1]) {
        for (const [site, tensor] of [['filter_fn', 'k'], ['filter_fn2', 'k2']] as const) {
          const { fwd, rev } = await bothWays(model, `layers.${layer}.${site}`);
          assertGolden(fwd, expected, `filters.${layer}.${tensor}_fwd`, 1e-5, NOISE);
          assertGolden(rev, expected, `filters.${layer}.${tensor}_rev`, 1e-5, NOISE);
        }
      }
      const part = await filterRows(model, 'layers.0.filter_fn', 60, 70);
      const whole = await filterRows(model, 'layers.0.filter_fn');
      assert.deepEqual([...part.subarray(10, 20)], [...whole.subarray(128 + 60, 128 + 70)]);
    }));

    for (const input of ['full', 'short'] as const) {
      it(`${name}: embedding, convolutions, hidden states and logits, ${input}`, () => withModel(name, undefined, async (model) => {
        const expected = await Expected.read(name);
        const ids = expected.ids(`${input}.input_ids`);
        const extra = new Map([['token_type_ids', expected.ids(`${input}.token_type_ids`)]]);
        const names = ['embed', 'hidden.0', 'hidden.1', 'mlm_transform', 'logits'];
        const seen = new Map<string, Float32Array>();
        const values = await runValues(model, { input: ids, length: ids.length, extra, onSite: ({ site, output }) => seen.set(site, Float32Array.from(output)) }, names);
        for (const value of names) assertGolden(values.get(value)!, expected, `${input}.${value}`, 1e-4, NOISE);
        // The main convolution's event holds the gated output; the residual one's is the original's.
        assertGolden(seen.get('layers.0.filter_fn2')!, expected, `${input}.conv0_residual.y`, 1e-4, NOISE);
      }));
    }
  }

  const folder = temporaryFolder();
  const copy = async (file: string, change: (name: string) => string | undefined): Promise<string> => {
    const source = await openSafetensors(path.join(GOLDEN('m2bert-a'), 'model.safetensors'));
    try {
      const entries = [...source.tensors.keys()].flatMap((name): TensorEntry[] => {
        const target = change(name);
        return target === undefined ? [] : [{ ...copiedTensor(source, name), name: target }];
      });
      await writeSafetensors(folder.file(file), entries);
      return folder.file(file);
    } finally {
      await source.close();
    }
  };

  it('opens with the names of a Composer checkpoint, and without its window times and head', async () => {
    const model = await openModel(await copy('composer.safetensors', (name) => (/pos_emb\.t|^cls/.test(name) ? undefined : `model.${name}`)));
    try {
      const expected = await Expected.read('m2bert-a');
      assert.equal(model.task, 'features');
      assertGolden((await bothWays(model, 'layers.0.filter_fn')).rev, expected, 'filters.0.k_rev', 1e-5);
      const ids = expected.ids('full.input_ids');
      const values = await runValues(model, { input: ids, length: 64, extra: new Map([['token_type_ids', expected.ids('full.token_type_ids')]]) });
      assertGolden(values.get('')!, expected, 'full.hidden.1', 1e-4, NOISE);
    } finally {
      await model.close();
    }
  });

  it('refuses inputs that have no positions', () => withModel('m2bert-a', undefined, async (model) => {
    checkLength(model, 64);
    assert.throws(() => checkLength(model, 65), /takes inputs of at most 64 tokens, not 65: it has no position embeddings beyond them/);
  }));

  it('says what is missing or has no place', async () => {
    const lacking = await copy('lacking.safetensors', (name) => (name.endsWith('layer.1.mlp.wo.bias') ? undefined : name));
    await assert.rejects(openModel(lacking), /looks like a m2bert model, but it lacks bert\.encoder\.layer\.1\.mlp\.wo\.bias/);
    const foreign = await copy('foreign.safetensors', (name) => (name.endsWith('layer.1.mlp.layernorm.bias') ? 'bert.encoder.layer.1.mlp.other.bias' : name));
    await assert.rejects(openModel(foreign), /it lacks bert\.encoder\.layer\.1\.mlp\.layernorm\.bias/);
  });
});
