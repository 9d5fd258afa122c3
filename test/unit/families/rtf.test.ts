import * as assert from 'node:assert/strict';
import { UserError } from '../../../extension/core/errors';
import { openModel } from '../../../extension/core/families/registry';
import { assertClose } from '../graph/support/measure';
import { referenceEngine } from '../graph/support/reference-engine';
import { temporaryFolder } from '../support/files';
import { assertFilter, Expected, GOLDEN, runModel, withModel } from './golden';
import { f32, writeVariant } from './variants';

const CASE = 'rtf-a';

describe('RTF layer', () => {
  const temporary = temporaryFolder();

  it('filter, and its first taps', () => withModel(CASE, undefined, async (model) => {
    const expected = await Expected.read(CASE);
    await assertFilter(model, 'rtf', expected, 'filters.k');
    await assertFilter(model, 'rtf', expected, 'filters.short.k');
  }));

  it('convolves its input', () => withModel(CASE, undefined, async (model) => {
    const { values: k } = (await Expected.read(CASE)).get('filters.k');
    const u = Float32Array.from({ length: 64 * 16 }, (_, i) => Math.sin(i * i));
    const expected = u.map((_, i) => {
      const [t, c] = [Math.floor(i / 16), i % 16];
      let sum = 0;
      for (let j = 0; j <= t; j++) sum += k[c * 64 + j] * u[(t - j) * 16 + c];
      return sum;
    });
    assertClose([...(await runModel(model, u, 64)).values()][0], expected, 1e-5);
  }));

  // a = 1 + a_1 z^-1 and b = z^-1: k[t] = (-a_1)^(t-1) / (1 - (-a_1)^n) on n points, by the geometric series that wraps around.
  for (const length of [5, 12]) {
    it(`shares denominators between channels, at length ${length}`, async () => {
      const file = await writeVariant(GOLDEN(CASE), temporary.file('variant'), {
        drop: /./, put: [f32('ab', [3, 1], [-0.5, 1, 2]), f32('h_0', [2], [3, 4])], config: { trunc_len: length, num_a: 1 },
      });
      const model = await openModel(file);
      const points = length + (length % 2);
      const rows = await model.filter('rtf', { channels: [0, 2], taps: [0, length] }, referenceEngine);
      const expected = [1, 2].flatMap((b, c) => Array.from({ length }, (_, t) =>
        (b * 0.5 ** ((t - 1 + points) % points)) / (1 - 0.5 ** points) + (t === 0 ? 3 + c : 0)));
      assertClose(rows, expected, 1e-6);
      await model.close();
    });
  }

  it('asks for the length that no tensor tells', async () => {
    const file = await writeVariant(GOLDEN(CASE), temporary.file('variant'), {});
    await assert.rejects(openModel(file), (error) => error instanceof UserError && /depend on the length/.test(error.message) && /"length"/.test(error.hint ?? ''));
    await (await openModel(file, { length: 64 })).close();
  });
});
