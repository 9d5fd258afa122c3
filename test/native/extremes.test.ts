import * as assert from 'node:assert/strict';
import type { ConvolutionSpec } from '../../extension/core/engine/engine';
import { noise } from '../unit/graph/support/measure';
import { assertAccurate } from './support/accuracy';
import { allCases, filterLengths } from './support/cases';
import { expectedOutput } from './support/convolution-reference';
import { convolveOnce } from './support/engine';
import { gridOf, gridSize } from './support/grids';
import { signals } from './support/signals';

const scaled = (values: Float32Array, factor: number): Float32Array => values.map((value) => value * factor);

async function check(spec: ConvolutionSpec, filter: Float32Array, input: Float32Array, what: string): Promise<void> {
  const call = { batch: 2, length: spec.maxLength, input };
  assertAccurate(await convolveOnce(spec, filter, call), expectedOutput(spec, filter, call), what);
}

describe('large and small values', () => {
  for (const length of [64, 1026, 5000]) {
    for (const [inputScale, filterScale] of [[1e30, 1], [1e30, 1e-30], [1, 1e30], [1e-30, 1], [1e-30, 1e30], [1e15, 1e15]]) {
      it(`inputs of ${inputScale}, filters of ${filterScale}, ${length} samples`, async () => {
        for (const { name, make } of allCases(length)) {
          const { spec, filter } = make(2);
          await check(spec, scaled(filter(), filterScale), scaled(signals(2, 2, length, false).input, inputScale), name);
        }
      });
    }
    it(`constant inputs of 1e30 and constant filters, ${length} samples: nothing cancels`, async () => {
      const input = new Float32Array(4 * length).fill(1e30);
      for (const filterLength of filterLengths(length)) {
        await check({ channels: 2, mode: 'causal', filterLength, maxLength: length }, new Float32Array(2 * filterLength).fill(1), input, `causal, ${filterLength} taps`);
      }
      const grid = gridOf(gridSize(length), (bin) => bin < 20);
      const filter = new Float32Array(2 * grid.fftSize).fill(1);
      await check({ channels: 2, mode: 'grid', filterLength: grid.fftSize, maxLength: length, grid }, filter, input, 'grid');
    });
  }

  it('constant inputs of 1e30 over 32770 samples', async () => {
    const spec = { channels: 2, mode: 'causal', filterLength: 32770, maxLength: 32770 } as const;
    await check(spec, new Float32Array(2 * 32770).fill(1), new Float32Array(4 * 32770).fill(1e30), 'causal');
  });

  it('a run of one to eight samples on a long filter that begins with nearly nothing', async () => {
    for (const filterLength of [71, 5000]) {
      const filter = noise(2 * filterLength, 3).map((value, i) => (i % filterLength < 16 ? value / 1000 : value));
      const spec = { channels: 2, mode: 'causal', filterLength, maxLength: 4096 } as const;
      for (let length = 1; length <= 8; length++) {
        // Without a skip term, which would be larger than the result.
        const call = signals(2, 2, length, false);
        assertAccurate(await convolveOnce(spec, filter, call), expectedOutput(spec, filter, call), `${length} of ${filterLength}`);
      }
    }
  });

  it('zeros in, zeros out', async () => {
    for (const { name, make } of allCases(200)) {
      const { spec, filter } = make(2);
      const zeros = await convolveOnce(spec, filter(), { batch: 1, length: 200, input: new Float32Array(400) });
      assert.ok(zeros.every((value) => value === 0), name);
      const silent = await convolveOnce(spec, new Float32Array(filter().length), { batch: 1, length: 200, input: noise(400, 1) });
      assert.ok(silent.every((value) => value === 0), `${name}, filter of zeros`);
    }
  });

  it('a row that is not finite spoils no other row', async () => {
    for (const { name, make } of allCases(300)) {
      const { spec, filter: makeFilter } = make(3);
      const filter = makeFilter();
      const call = signals(3, 3, 300, false);
      const spoiled = call.input.slice();
      const row = 4;
      spoiled[row * 300 + 17] = Infinity;
      const output = await convolveOnce(spec, filter, { ...call, input: spoiled });
      const expected = expectedOutput(spec, filter, call);
      for (const values of [output, expected]) values.fill(1, row * 300, (row + 1) * 300);
      assertAccurate(output, expected, name);
    }
  });
});
