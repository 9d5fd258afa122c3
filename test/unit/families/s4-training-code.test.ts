import * as assert from 'node:assert/strict';
import * as path from 'node:path';
import { openModel } from '../../../extension/core/families/registry';
import { openSafetensors } from '../../../extension/core/formats/safetensors/read';
import type { TensorEntry } from '../../../extension/core/formats/safetensors/write';
import { loadEngine } from '../../../extension/kernel-host/addon';
import { assertClose, noise } from '../graph/support/measure';
import { temporaryFolder } from '../support/files';
import { erf } from './erf';
import { Expected, GOLDEN } from './golden';
import { runValues } from './golden-runs';
import { f32, writeVariant } from './variants';

const [WIDTH, INPUTS, CLASSES, LENGTH, INNER] = [32, 2, 3, 64, 40];
/** Golden layers of the original code, with their filters: layers 0 and 2 of a network whose layers 1 and 3 are feed-forward. */
const LAYERS = ['s4block-diag-a', 's4-dplr-a'] as const;
type Norm = 'layer' | 'batch' | 'scalar';

/** Rows of time. */
type Rows = readonly (readonly number[])[];
const linear = (x: Rows, weight: ArrayLike<number>, bias: ArrayLike<number>): number[][] =>
  x.map((row) => Array.from(bias, (b, o) => row.reduce((sum, value, i) => sum + value * weight[o * row.length + i], b)));
const plus = (a: Rows, b: Rows): number[][] => a.map((row, t) => row.map((value, i) => value + b[t][i]));
const gelu = (x: number): number => (x / 2) * (1 + erf(x / Math.SQRT2));

/** A network of the training code, its tensors and what it computes, in float64 sums. Source: state-spaces/s4, src/models/sequence/backbones/{model,block}.py. */
class Network {
  readonly tensors: TensorEntry[] = [];
  private readonly steps: ((x: Rows) => Rows)[] = [];
  private seed = 1;

  constructor(private readonly norm: Norm, private readonly prenorm: boolean) {}

  async build(): Promise<void> {
    this.steps.push(this.linear('encoder.0', WIDTH, INPUTS));
    for (const [n, name] of LAYERS.entries()) {
      this.residual(`model.layers.${2 * n}`, await this.convolution(`model.layers.${2 * n}.layer.`, name));
      const scope = `model.layers.${2 * n + 1}`;
      const [into, out] = [this.linear(`${scope}.layer.ff.0.0`, INNER, WIDTH), this.linear(`${scope}.layer.ff.2`, WIDTH, INNER)];
      this.residual(scope, (x) => out(into(x).map((row) => row.map(gelu))));
    }
    if (this.prenorm) this.steps.push(this.normOf('model.norm'));
    this.steps.push((x) => [x[0].map((_, h) => x.reduce((sum, row) => sum + row[h], 0) / x.length)], this.linear('decoder.0.output_transform', CLASSES, WIDTH));
  }

  logits(input: Float32Array): number[] {
    const rows: Rows = Array.from({ length: input.length / INPUTS }, (_, t) => [...input.subarray(t * INPUTS, (t + 1) * INPUTS)]);
    return [...this.steps.reduce((x, step) => step(x), rows)[0]];
  }

  private residual(scope: string, layer: (x: Rows) => Rows): void {
    const norm = this.normOf(`${scope}.norm`);
    this.steps.push(this.prenorm ? (x) => plus(x, layer(norm(x))) : (x) => norm(plus(x, layer(x))));
  }

  private put(name: string, shape: readonly number[], of: (value: number) => number): Float32Array {
    const values = noise(shape.reduce((a, b) => a * b, 1), this.seed++).map(of);
    this.tensors.push(f32(name, shape, values));
    return values;
  }

  private linear(name: string, outputs: number, inputs: number): (x: Rows) => Rows {
    const weight = this.put(`${name}.weight`, [outputs, inputs], (value) => value / Math.sqrt(inputs));
    const bias = this.put(`${name}.bias`, [outputs], (value) => value);
    return (x) => linear(x, weight, bias);
  }

  /** The training code wraps each norm in a module. */
  private normOf(scope: string): (x: Rows) => Rows {
    const near = (value: number): number => 1 + 0.3 * value;
    if (this.norm === 'scalar') {
      const [m, s] = [this.put(`${scope}.norm.m`, [1], (value) => 0.3 * value), this.put(`${scope}.norm.s`, [1], near)];
      return (x) => x.map((row) => this.centred(row, 0).map((value, _, all) => s[0] * value + (s[0] * m[0]) / this.deviation(row, 0, all.length)));
    }
    const [weight, bias] = [this.put(`${scope}.norm.weight`, [WIDTH], near), this.put(`${scope}.norm.bias`, [WIDTH], (value) => 0.2 * value)];
    if (this.norm === 'layer') return (x) => x.map((row) => this.centred(row, 1e-5).map((value, h) => value * weight[h] + bias[h]));
    const [mean, variance] = [this.put(`${scope}.norm.running_mean`, [WIDTH], (value) => 0.5 * value), this.put(`${scope}.norm.running_var`, [WIDTH], near)];
    this.tensors.push({ name: `${scope}.norm.num_batches_tracked`, dtype: 'I64', shape: [], data: new Uint8Array(8) });
    return (x) => x.map((row) => row.map((value, h) => ((value - mean[h]) / Math.sqrt(variance[h] + 1e-5)) * weight[h] + bias[h]));
  }

  private deviation(row: readonly number[], epsilon: number, size = row.length): number {
    const mean = row.reduce((a, b) => a + b) / size;
    return Math.sqrt(row.reduce((sum, value) => sum + (value - mean) ** 2, 0) / size + epsilon);
  }

  private centred(row: readonly number[], epsilon: number): number[] {
    const mean = row.reduce((a, b) => a + b) / row.length;
    return row.map((value) => (value - mean) / this.deviation(row, epsilon));
  }

  private async convolution(scope: string, name: string): Promise<(x: Rows) => Rows> {
    const file = await openSafetensors(path.join(GOLDEN(name), 'model.safetensors'));
    for (const [tensor, { dtype, shape }] of file.tensors) this.tensors.push({ name: scope + tensor, dtype, shape, data: await file.readBytes(tensor) });
    const [D, weight, bias] = [await file.readFloat32('layer.D'), await file.readFloat32('output_linear.0.weight'), await file.readFloat32('output_linear.0.bias')];
    await file.close();
    const k = (await Expected.read(name)).get('filters.k').values;
    return (x) => {
      const active = x.map((row, t) => row.map((value, h) => {
        let sum = D[h] * value;
        for (let j = 0; j <= t; j++) sum += k[h * LENGTH + j] * x[t - j][h];
        return gelu(sum);
      }));
      return linear(active, weight, bias).map((row) => row.slice(0, WIDTH).map((value, h) => value / (1 + Math.exp(-row[WIDTH + h]))));
    };
  }
}

describe('classifiers of the S4 training code', () => {
  const temporary = temporaryFolder();
  const write = (tensors: readonly TensorEntry[], config: unknown): Promise<string> =>
    writeVariant(GOLDEN('rtf-a'), temporary.file('variant'), { drop: /./, put: tensors, config });

  for (const [norm, prenorm] of [['layer', false], ['layer', true], ['batch', true], ['batch', false], ['scalar', true]] as const) {
    it(`are what float64 sums over the original's filters give: ${norm} norm, ${prenorm ? 'before' : 'behind'} the layers`, async () => {
      const network = new Network(norm, prenorm);
      await network.build();
      const config = { model: { _name_: 'model', prenorm, residual: 'R', norm, pool: { _name_: 'sample', pool: 1, expand: 1 } }, decoder: { _name_: 'sequence', mode: 'pool' } };
      const model = await openModel(await write(network.tensors, config));
      try {
        assert.deepEqual([model.family, model.task, model.maxLength, model.vocabularySize, model.floatInput], ['s4', 'classification', LENGTH, CLASSES, ['length', INPUTS]]);
        assert.deepEqual(model.sites.map(({ id }) => id), ['layers.0', 'layers.2']);
        assert.ok(!model.notes.some((note) => /mean over time/.test(note)));
        const input = noise(LENGTH * INPUTS, 99);
        assertClose((await runValues(model, { input, length: LENGTH, engine: loadEngine() })).get('')!, network.logits(input), 1e-5);
      } finally {
        await model.close();
      }
    });
  }

  it('say what is assumed, missing or not supported', async () => {
    const { tensors } = await (async () => { const network = new Network('batch', true); await network.build(); return network; })();
    const model = await openModel(await write(tensors, undefined));
    assert.ok(model.notes.some((note) => /given the mean over time/.test(note)));
    await model.close();
    const without = (name: string): TensorEntry[] => tensors.filter((tensor) => tensor.name !== name);
    await assert.rejects(openModel(await write(without('model.layers.2.norm.norm.running_var'), undefined)), /lacks model\.layers\.2\.norm\.norm\.running_var/);
    await assert.rejects(openModel(await write(tensors, { model: { prenorm: false } })), /"prenorm" to false, and only true/);
    await assert.rejects(openModel(await write(tensors, { model: {}, decoder: { mode: 'last' } })), /"mode" to "last", and only "pool"/);
    await assert.rejects(openModel(await write(tensors, { model: { pool: { _name_: 'sample', pool: 4 } } })), /"pool" to 4, and only 1/);
  });
});
