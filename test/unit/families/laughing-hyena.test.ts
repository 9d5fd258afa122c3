import * as assert from 'node:assert/strict';
import { UserError } from '../../../extension/core/errors';
import { openModel } from '../../../extension/core/families/registry';
import { assertClose } from '../graph/support/measure';
import { referenceEngine } from '../graph/support/reference-engine';
import { temporaryFolder } from '../support/files';
import { GOLDEN } from './golden';
import { f32, writeVariant } from './variants';

const STATES = 3, CHANNELS = 4, TAPS = 50;
/** [STATES, CHANNELS] of spread values. */
const spread = (from: number, to: number): Float32Array => Float32Array.from({ length: STATES * CHANNELS }, (_, i) => from + ((to - from) * ((i * 7) % 12)) / 11);
const PARTS = { r: spread(-0.9, 0.95), theta: spread(0, 3), R_re: spread(-1, 1), R_im: spread(2, -1) };
const H0 = Float32Array.of(1, 2, 3, 4);

/** h_0, then powers of the poles one multiplication after the other. */
function byRecurrence(): Float64Array {
  const k = new Float64Array(CHANNELS * TAPS);
  for (let c = 0; c < CHANNELS; c++) {
    k[c * TAPS] = H0[c];
    for (let s = 0; s < STATES; s++) {
      const at = s * CHANNELS + c;
      let [re, im] = [PARTS.R_re[at], PARTS.R_im[at]];
      const [pr, pi] = [PARTS.r[at] * Math.cos(PARTS.theta[at]), PARTS.r[at] * Math.sin(PARTS.theta[at])];
      for (let t = 1; t < TAPS; t++) {
        k[c * TAPS + t] += re;
        [re, im] = [re * pr - im * pi, re * pi + im * pr];
      }
    }
  }
  return k;
}

describe('Laughing Hyena filters', () => {
  const temporary = temporaryFolder();
  const tensors = (prefix: string): ReturnType<typeof f32>[] => [
    ...Object.entries(PARTS).map(([name, values]) => f32(`${prefix}${name}`, [STATES, CHANNELS], values)), f32(`${prefix}h_0`, [1, CHANNELS], H0),
  ];
  const write = (put: ReturnType<typeof f32>[], config?: unknown): Promise<string> => writeVariant(GOLDEN('rtf-a'), temporary.file('variant'), { drop: /./, put, config });

  it('equal the recurrence, all and in parts', async () => {
    const model = await openModel(await write(tensors('mixer.filter.'), { seq_len: TAPS }));
    const expected = byRecurrence();
    const { id } = model.sites[0];
    assert.equal(id, 'laughing-hyena.mixer.filter');
    assertClose(await model.filter(id, { channels: [0, CHANNELS], taps: [0, TAPS] }, referenceEngine), expected, 1e-6);
    assertClose(await model.filter(id, { channels: [2, 3], taps: [1, 20] }, referenceEngine), expected.subarray(2 * TAPS + 1, 2 * TAPS + 20), 1e-6);
    await model.close();
  });

  it('several of them are sites, but no whole model', async () => {
    const model = await openModel(await write([...tensors('a.'), ...tensors('b.'), f32('a.out.weight', [2, 2], 1)]));
    assert.deepEqual(model.sites.map((site) => site.id), ['laughing-hyena.a', 'laughing-hyena.b']);
    assert.ok(model.notes.some((note) => note.includes('a.out.weight')));
    await assert.rejects(model.graph(), /holds 2 filters and not the model around them/);
    await model.close();
  });

  it('says what is missing', async () => {
    const file = await write(tensors('').filter(({ name }) => name !== 'r'));
    await assert.rejects(openModel(file), (error) => error instanceof UserError && /looks like a laughing-hyena model, but it lacks r\./.test(error.message));
  });
});
