import * as assert from 'node:assert/strict';
import * as path from 'node:path';
import { openModel } from '../../../extension/core/families/registry';
import { openSafetensors } from '../../../extension/core/formats/safetensors/read';
import { assertClose, noise } from '../graph/support/measure';
import { temporaryFolder } from '../support/files';
import { assertFilter, Expected, GOLDEN, runModel, withModel } from './golden';
import { f32, writeVariant } from './variants';

const CASE = 'multihyena-a';

interface Operator {
  readonly dim: number;
  readonly inner: number;
  readonly heads: number;
  readonly groups: number;
  /** By tensor name. */
  readonly weights: Readonly<Record<string, ArrayLike<number>>>;
  /** [inner / heads, taps] */
  readonly filters: ArrayLike<number>;
  readonly taps: number;
}

/**
 * The operator on x [length, dim] in float64 sums, from its definition: in_proj to 3 inner / groups channels, repeated `groups` times; a depthwise
 * convolution of three taps, the last of which is the current sample; x1, x2, v of `inner` channels, channel h M + m; out[h, m2] = sum over m1
 * of (k_h * (v[h, m1] x2[h, m2]) + D_h v[h, m1] x2[h, m2]) x1[h, m1]; out_proj back to dim. Source: athms/mad-lab, hyena.py and fftconv.py.
 */
function reference({ dim, inner, heads, groups, weights, filters, taps }: Operator, x: ArrayLike<number>): Float64Array {
  const length = x.length / dim;
  const rows = (3 * inner) / groups;
  const projected = (channel: number, t: number): number => {
    const row = channel % rows;
    let sum = weights['in_proj.bias'][row];
    for (let i = 0; i < dim; i++) sum += weights['in_proj.weight'][row * dim + i] * x[t * dim + i];
    return sum;
  };
  const mixed = Array.from({ length: 3 * inner }, (_, channel) => {
    const u = Array.from({ length }, (__, t) => projected(channel, t));
    return u.map((now, t) => {
      const [oldest, before, current] = [0, 1, 2].map((i) => weights['short_filter.weight'][channel * 3 + i]);
      return weights['short_filter.bias'][channel] + current * now + before * (u[t - 1] ?? 0) + oldest * (u[t - 2] ?? 0);
    });
  });
  const y = Array.from({ length: inner }, () => new Float64Array(length));
  for (let h = 0; h < inner / heads; h++) {
    for (let m1 = 0; m1 < heads; m1++) {
      for (let m2 = 0; m2 < heads; m2++) {
        const kv = mixed[2 * inner + h * heads + m1].map((value, t) => value * mixed[inner + h * heads + m2][t]);
        for (let t = 0; t < length; t++) {
          let sum = weights['long_conv.bias'][h] * kv[t];
          for (let j = 0; j <= t; j++) sum += filters[h * taps + j] * kv[t - j];
          y[h * heads + m2][t] += sum * mixed[h * heads + m1][t];
        }
      }
    }
  }
  const out = new Float64Array(length * dim);
  for (let t = 0; t < length; t++) {
    for (let o = 0; o < dim; o++) {
      out[t * dim + o] = weights['out_proj.bias'][o] + y.reduce((sum, row, i) => sum + weights['out_proj.weight'][o * inner + i] * row[t], 0);
    }
  }
  return out;
}

describe('MultiHyena operator', () => {
  const temporary = temporaryFolder();
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

  describe('of more channels inside than outside', () => {
    const WEIGHTS = ['in_proj.weight', 'in_proj.bias', 'short_filter.weight', 'short_filter.bias', 'long_conv.bias', 'out_proj.weight', 'out_proj.bias'];

    it('is measured by a reference that gives the original\'s output where both are as many', async () => {
      const expected = await Expected.read(CASE);
      const file = await openSafetensors(path.join(GOLDEN(CASE), 'model.safetensors'));
      const weights = Object.fromEntries(await Promise.all(WEIGHTS.map(async (name) => [name, await file.readFloat32(name)] as const)));
      await file.close();
      const out = reference({ dim: 32, inner: 32, heads: 4, groups: 4, weights, filters: expected.get('filters.k').values, taps: 64 }, expected.get('short.input').values);
      assertClose(out, expected.get('short.out').values, 1e-9);
    });

    // inner_factor 2 and 4 over the golden case's 8 filters.
    for (const [dim, inner, heads, groups] of [[16, 32, 4, 4], [16, 32, 4, 1], [4, 16, 2, 2]]) {
      it(`dim ${dim}, inner_factor ${inner / dim}, ${heads} heads, proj_groups ${groups}`, async () => {
        const filters = (await Expected.read(CASE)).get('filters.k').values;
        const shapes: Readonly<Record<string, readonly number[]>> = {
          'in_proj.weight': [(3 * inner) / groups, dim], 'in_proj.bias': [(3 * inner) / groups], 'short_filter.weight': [3 * inner, 1, 3], 'short_filter.bias': [3 * inner],
          'long_conv.bias': [8], 'out_proj.weight': [dim, inner], 'out_proj.bias': [dim],
        };
        const weights = Object.fromEntries(WEIGHTS.map((name, i) => [name, noise(shapes[name].reduce((a, b) => a * b), i + 1)]));
        const config = { dim, inner_factor: inner / dim, num_heads: heads, proj_groups: groups, max_length: 64 };
        const put = WEIGHTS.map((name) => f32(name, shapes[name], weights[name]));
        const model = await openModel(await writeVariant(GOLDEN(CASE), temporary.file('variant'), { put, config }));
        try {
          assert.deepEqual(model.sites.map(({ channels, taps }) => [channels, taps]), [[8, 64]]);
          const input = noise(50 * dim, 9);
          assertClose([...(await runModel(model, input, 50)).values()][0], reference({ dim, inner, heads, groups, weights, filters, taps: 64 }, input), 1e-5);
        } finally {
          await model.close();
        }
        const other = await writeVariant(GOLDEN(CASE), temporary.file('variant'), { put, config: { ...config, inner_factor: 3 } });
        await assert.rejects(openModel(other), /inner_factor is 3 in the file, but the tensors have/);
      });
    }
  });
});
