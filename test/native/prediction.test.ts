import * as assert from 'node:assert/strict';
import type { ConvolutionSpec, Prediction } from '../../extension/core/engine/engine';
import { noise } from '../unit/graph/support/measure';
import { allCases, longFilterCase } from './support/cases';
import { engine } from './support/engine';
import { combGrid, gridOf } from './support/grids';

const predict = (spec: ConvolutionSpec): Prediction => engine.predict(spec, 1, spec.maxLength, 1);
const gridSpec = (channels: number, grid: ConvolutionSpec['grid']): ConvolutionSpec =>
  ({ channels, mode: 'grid', filterLength: grid!.fftSize, maxLength: grid!.fftSize / 2, grid });

describe('predictions', () => {
  it('are sensible for every kind of convolution, and prepare says the same', async () => {
    for (const length of [1, 64, 1026, 5000]) {
      for (const { name, make } of allCases(length)) {
        const { spec, filter } = make(3);
        const { seconds, ...rest } = predict(spec);
        assert.ok(seconds > 0 && seconds < 10, name);
        assert.ok(rest.algorithm.length >= 3, name);
        assert.ok(Number.isInteger(rest.preparedBytes) && rest.preparedBytes > 0, name);
        assert.ok(rest.executedFraction > 0 && rest.executedFraction <= 1, name);
        const prepared = await engine.prepare(spec, filter());
        const { algorithm, preparedBytes, executedFraction } = prepared.prediction;
        assert.deepEqual({ algorithm, preparedBytes, executedFraction }, rest, name);
        prepared.free();
      }
    }
  });

  it('name the algorithm that suits the filter', () => {
    const causal = (filterLength: number, maxLength: number): string => predict({ channels: 4, mode: 'causal', filterLength, maxLength }).algorithm;
    assert.equal(causal(3, 100000), 'Toeplitz');
    assert.equal(causal(1000, 1000000), 'overlap-save');
    assert.equal(causal(65536, 65536), 'right-angle FFT');
    assert.equal(predict(gridSpec(4, combGrid(65536, [1, 2]))).algorithm, 'comb-row FFT');
    assert.equal(predict(gridSpec(4, gridOf(65536, () => true))).algorithm, 'right-angle FFT');
  });

  it('skip what a comb drops, in arithmetic and in bytes', () => {
    for (const fftSize of [4096, 16384, 65536, 2 ** 20]) {
      const dense = predict(gridSpec(8, gridOf(fftSize, () => true)));
      let before = dense;
      assert.equal(dense.executedFraction, 1);
      for (const rows of [[0, 1, 2, 3], [1, 2], [1]]) {
        const comb = predict(gridSpec(8, combGrid(fftSize, rows)));
        assert.ok(comb.executedFraction < before.executedFraction, `${fftSize}: ${comb.executedFraction} of the arithmetic for rows ${rows.join(', ')}`);
        assert.ok(comb.preparedBytes < before.preparedBytes);
        assert.ok(comb.seconds < dense.seconds);
        before = comb;
      }
    }
  });

  it('grow with batch, channels and length', () => {
    const { spec } = longFilterCase('causal', 65536, 65536).make(8);
    const one = engine.predict(spec, 1, 65536, 1).seconds;
    assert.ok(engine.predict(spec, 8, 65536, 1).seconds > 4 * one);
    assert.ok(engine.predict({ ...spec, channels: 64 }, 1, 65536, 1).seconds > 4 * one);
    assert.ok(predict({ ...spec, filterLength: 2 ** 20, maxLength: 2 ** 20 }).seconds > 8 * one);
    assert.ok(engine.predict(spec, 1, 65536, 2).seconds < one);
  });

  it('need no filter and cost nothing at any size', () => {
    const started = performance.now();
    for (let i = 0; i < 100; i++) predict({ channels: 4096, mode: 'causal', filterLength: 2 ** 22, maxLength: 2 ** 22 });
    assert.ok(performance.now() - started < 1000);
  });

  it('prepared bytes are what is kept, within the spectrum of the largest transform', async () => {
    const filter = noise(64 * 4096, 1);
    const prepared = await engine.prepare({ channels: 64, mode: 'causal', filterLength: 4096, maxLength: 4096 }, filter);
    // At least the filter itself, at most a padded complex spectrum.
    assert.ok(prepared.prediction.preparedBytes >= filter.byteLength && prepared.prediction.preparedBytes <= 64 * 8192 * 8);
    prepared.free();
  });
});
