import * as assert from 'node:assert/strict';
import { loadSamples } from '../../../extension/core/data/load-samples';
import { NOT_SCORED } from '../../../extension/core/data/samples';
import type { LongConvModel } from '../../../extension/core/families/model';
import { type TensorEntry, writeSafetensors } from '../../../extension/core/formats/safetensors/write';
import { measureQuality } from '../../../extension/core/validation/quality';
import { syntheticModel } from '../plan/support/synthetic-model';
import { temporaryFolder } from '../support/files';

const ints = (name: string, shape: number[], values: number[]): TensorEntry => ({ name, dtype: 'I32', shape, data: new Uint8Array(Int32Array.from(values).buffer) });
const floats = (name: string, shape: number[], values: number[]): TensorEntry => ({ name, dtype: 'F32', shape, data: new Uint8Array(Float32Array.from(values).buffer) });
const model = (more: Partial<LongConvModel>): LongConvModel => ({ ...syntheticModel(), name: 'net', vocabularySize: 5, maxLength: 4, ...more });

describe('samples of a data file', () => {
  const folder = temporaryFolder();
  const file = async (...entries: TensorEntry[]): Promise<string> => {
    const path = folder.file('data.safetensors');
    await writeSafetensors(path, entries);
    return path;
  };

  it('of a masked language model are rows with labels, cut to the length, with their token types', async () => {
    const path = await file(ints('input_ids', [2, 5], [1, 2, 3, 4, 0, 0, 1, 2, 3, 4]), ints('labels', [2, 5], [-100, 3, -100, 2, 1, 4, -100, -100, 1, -100]), ints('token_type_ids', [2, 5], [0, 0, 1, 1, 1, 0, 0, 0, 0, 1]));
    const { samples, length, records, notes } = await loadSamples(path, model({ task: 'masked-token' }));
    assert.deepEqual([length, records, notes], [4, 2, []]);
    assert.deepEqual(samples.map(({ input, targets }) => [[...input as Int32Array], [...targets]]), [[[1, 2, 3, 4], [-100, 3, -100, 2]], [[0, 1, 2, 3], [4, -100, -100, 1]]]);
    assert.deepEqual(samples.map(({ extra }) => [...extra!.get('token_type_ids') as Int32Array]), [[0, 0, 1, 1], [0, 0, 0, 0]]);
    const two = await loadSamples(path, model({ task: 'masked-token' }), 2);
    assert.equal(two.samples.length, 4);
  });

  it('of a masked language model without labels have tokens hidden, the same ones each time', async () => {
    const path = await file(ints('input_ids', [4, 100], Array.from({ length: 400 }, (_, i) => i % 4)));
    const load = () => loadSamples(path, model({ task: 'masked-token', maskToken: 4, maxLength: 100 }));
    const { samples, notes } = await load();
    assert.deepEqual(samples, (await load()).samples);
    assert.match(notes[0], /no labels: 15%/);
    let hidden = 0;
    samples.forEach(({ input, targets }, row) => targets.forEach((target, i) => {
      assert.equal(input[i], target === NOT_SCORED ? (100 * row + i) % 4 : 4);
      if (target !== NOT_SCORED) {
        hidden++;
        assert.equal(target, (100 * row + i) % 4);
      }
    }));
    assert.ok(hidden > 30 && hidden < 90, `${hidden} hidden`);
    await assert.rejects(loadSamples(path, model({ task: 'masked-token', maxLength: 100 })), /no known token that hides another/);
  });

  it('of a classifier are float examples with one class each', async () => {
    const path = await file(floats('input', [3, 2, 4], Array.from({ length: 24 }, (_, i) => i)), ints('labels', [3], [1, 0, 4]));
    const { samples, length } = await loadSamples(path, model({ task: 'classification', floatInput: [2, 'length'] }));
    assert.equal(length, 4);
    assert.deepEqual(samples.map(({ input, targets }) => [input[0], input.length, ...targets]), [[0, 8, 1], [8, 8, 0], [16, 8, 4]]);
  });

  it('that do not fit are refused in a sentence', async () => {
    const classifier = model({ task: 'classification', floatInput: [2, 'length'] });
    await assert.rejects(loadSamples(await file(floats('input', [3, 3, 4], new Array(36).fill(0))), classifier), /"input" of shape \[3, 3, 4\], but net takes \[B, 2, L\]/);
    await assert.rejects(loadSamples(await file(floats('input', [3, 2, 4], new Array(24).fill(0))), classifier), /has no tensor "labels"/);
    await assert.rejects(loadSamples(await file(floats('input', [1, 2, 4], new Array(8).fill(0)), ints('labels', [1], [5])), classifier), /label 5 at position 0 of "labels", but the model has classes 0 to 4/);
    await assert.rejects(loadSamples(await file(floats('input', [1, 2, 4], new Array(8).fill(0)), ints('labels', [2], [1, 1])), classifier), /"labels" of shape \[2\], but its inputs need \[1\]/);
    await assert.rejects(loadSamples(await file(ints('input_ids', [1, 4], [0, 1, 2, 3]), ints('labels', [1, 4], [-100, -100, -100, -100])), model({ task: 'masked-token' })), /no label that is scored/);
    await assert.rejects(loadSamples(folder.file('data.txt'), classifier), /cannot be used as data for net, whose task is classification/);
  });
});

describe('quality on samples', () => {
  it('counts scored rows only, and the error of the whole output', async () => {
    const logits = Float32Array.from({ length: 15 }, (_, i) => Math.sin(i));
    const { dense, variants, outputErrors } = await measureQuality({
      samples: [{ input: new Int32Array(3), targets: Int32Array.of(NOT_SCORED, 2, NOT_SCORED) }], vocabulary: 5,
      dense: async () => logits, variants: [async () => logits.map((x) => 2 * x)], onDenseSite: async () => {}, onSample: () => {},
    });
    const row = [...logits.subarray(5, 10)];
    const nll = (scale: number): number => Math.log(row.reduce((sum, x) => sum + Math.exp(scale * x), 0)) - scale * row[2];
    assert.equal(dense.quality().tokens, 1);
    assert.ok(Math.abs(dense.quality().nll - nll(1)) < 1e-6);
    assert.ok(Math.abs(variants[0].quality().nll - nll(2)) < 1e-6);
    assert.ok(Math.abs(outputErrors[0] - 1) < 1e-6);
  });

  it('without a metric gives the error of the output alone', async () => {
    const { dense, outputErrors } = await measureQuality({
      samples: [{ input: new Float32Array(3), targets: new Int32Array(0) }], vocabulary: 0,
      dense: async () => Float32Array.of(3, 4), variants: [async () => Float32Array.of(3, 4.5)], onDenseSite: async () => {}, onSample: () => {},
    });
    assert.equal(dense.windowNll.length, 0);
    assert.ok(Math.abs(outputErrors[0] - 0.1) < 1e-7);
  });
});
