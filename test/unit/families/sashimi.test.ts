import * as assert from 'node:assert/strict';
import { openModel } from '../../../extension/core/families/registry';
import { assertClose } from '../graph/support/measure';
import { temporaryFolder } from '../support/files';
import { Expected, GOLDEN, withModel } from './golden';
import { goldenInput, runValues } from './golden-runs';
import { CASE, engine, POOL, tensorsOf, writeUnet } from './sashimi-files';
import { sashimi } from './sashimi-reference';
import { writeVariant } from './variants';

describe('SaShiMi with blocks on the way down (unet)', () => {
  const temporary = temporaryFolder();

  it('is measured by a reference that gives the original\'s logits without them', () => withModel(CASE, undefined, async (model) => {
    const expected = await Expected.read(CASE);
    for (const input of ['full', 'short']) {
      const logits = sashimi(await tensorsOf(model), expected.ids(`${input}.input_ids`), POOL, 1, false);
      // The filters are float32 ones.
      assertClose(logits.flat(), expected.get(`${input}.logits`).values, 1e-6);
    }
  }));

  const variant = (config: unknown, without?: string): Promise<string> => writeUnet(temporary.file('variant'), { config }, without);

  for (const input of ['full', 'short'] as const) {
    it(`gives the logits of a float64 run from the definition, ${input}`, async () => {
      const model = await openModel(await variant({ model: { unet: true } }));
      try {
        assert.deepEqual(model.sites.map(({ id, taps, rate }) => [id, taps, rate]),
          [['d_layers.0', 96, 1], ['d_layers.3', 48, 1 / 2], ['c_layers.0', 12, 1 / 8], ['u_layers.0.1', 48, 1 / 2], ['u_layers.1.1', 96, 1]]);
        const run = goldenInput(await Expected.read(CASE), input);
        const logits = sashimi(await tensorsOf(model), run.input as Int32Array, POOL, 1, true);
        assertClose((await runValues(model, { ...run, engine })).get('')!, logits.flat(), 1e-5);
      } finally {
        await model.close();
      }
    });
  }

  it('says that config.json contradicts it, or that blocks do not pair', async () => {
    await assert.rejects(openModel(await variant({ model: { unet: false } })), /unet is false in the file, but the tensors have blocks on the way down/);
    await assert.rejects(openModel(await writeVariant(GOLDEN(CASE), temporary.file('variant'), { config: { model: { unet: true } } })), /unet is true in the file, but the tensors have no blocks/);
    await assert.rejects(openModel(await variant(undefined, 'd_layers.5')), /blocks are not poolings, a centre, and as many poolings back/);
  });
});
