import * as assert from 'node:assert/strict';
import type { ConvolutionSpec } from '../../extension/core/engine/engine';
import { median } from '../../extension/core/validation/statistics';
import { relativeError } from '../unit/graph/support/measure';
import { assertAccurate, assertSameBits, TOLERANCE } from './support/accuracy';
import { gridCase } from './support/cases';
import { expectedOutput } from './support/convolution-reference';
import { engine, runOnce, withPrepared } from './support/engine';
import { combGrid, gridOf } from './support/grids';
import { signals } from './support/signals';

const DECIMATED = 'decimated FFT';
const FFT_SIZE = 8192;

/** A filter that keeps the lowest `band` of the bins 0..N/2, for inputs of `length` samples. */
const lowPass = (band: number, length: number, channels: number, fftSize = FFT_SIZE): { spec: ConvolutionSpec; filter: Float32Array } => {
  const { spec, filter } = gridCase('low-pass', length, gridOf(fftSize, (bin) => bin < band)).make(channels);
  return { spec, filter: filter() };
};

const norm = (values: Iterable<number>): number => Math.sqrt([...values].reduce((sum, value) => sum + value ** 2, 0));

const algorithm = (spec: ConvolutionSpec): string => engine.predict(spec, 1, spec.maxLength, 1).algorithm;

describe('low-pass masks at a lower sampling rate', () => {
  const half = FFT_SIZE / 2;
  const bands = [17, 64, 100, 257, half / 8, half / 4 - 1, half / 4, half / 4 + 1, Math.floor(0.29 * half)];

  for (const instructionSet of engine.devices().cpu.instructionSets) {
    it(`agree with float64 for any band, length and batch: ${instructionSet}`, async () => {
      const errors: number[] = [];
      for (const band of bands) {
        // Whole grids, where a row at the lower rate is longer than half of its grid, and rows that are not.
        for (const length of [half, half - 1, half - 33, 3001]) {
          const { spec, filter } = lowPass(band, length, 2);
          assert.equal(algorithm({ ...spec, instructionSet }), DECIMATED, `${band} bins`);
          const call = signals(3, 2, length, false);
          await withPrepared({ ...spec, instructionSet }, filter, async (prepared) => {
            const error = relativeError(await runOnce(prepared, call), expectedOutput(spec, filter, call));
            assert.ok(error <= TOLERANCE, `${band} bins, ${length} samples: ${error.toExponential(2)}`);
            errors.push(error);
          });
        }
      }
      assert.ok(median(errors) <= 5e-7, `median error ${median(errors).toExponential(2)}`);
    });
  }

  it('run shorter inputs, and gates and skip terms on many threads with the same bits', async () => {
    const { spec, filter } = lowPass(half / 8, half, 3);
    await withPrepared(spec, filter, async (prepared) => {
      for (const length of [half, 4000, 999, 64]) {
        const call = signals(5, 3, length, true);
        const output = await runOnce(prepared, { ...call, threads: 4 });
        assertAccurate(output, expectedOutput(spec, filter, call), `${length} samples`);
        assertSameBits(await runOnce(prepared, { ...call, threads: 1 }), output, `${length} samples`);
      }
    });
  });

  it('let nothing of the dropped frequencies through, however strong', async () => {
    let strongest = 0;
    for (const band of [5, half / 16, half / 4, Math.floor(0.29 * half)]) {
      const { spec, filter } = lowPass(band, half, 1);
      // An even filter of gain 1 in the band: what comes through comes from the tone's own ends alone, and that is in the reference.
      for (let lag = 0; lag < FFT_SIZE; lag++) {
        let sum = 1;
        for (let f = 1; f < band; f++) sum += 2 * Math.cos((2 * Math.PI * ((f * lag) % FFT_SIZE)) / FFT_SIZE);
        filter[lag] = sum / FFT_SIZE;
      }
      // Around every multiple of every lower rate, where the aliases of the band are.
      for (let rate = FFT_SIZE / 2; rate > 4 * band; rate /= 2) {
        for (const f of [rate - band + 1, rate - band / 2, rate - 1, rate]) {
          const input = Float32Array.from({ length: half }, (_, t) => 1000 * Math.cos((2 * Math.PI * f * t) / FFT_SIZE + 0.3));
          const call = { batch: 1, length: half, input };
          const expected = expectedOutput(spec, filter, call);
          await withPrepared(spec, filter, async (prepared) => {
            const through = norm(Float64Array.from(await runOnce(prepared, call), (y, t) => y - expected[t])) / norm(input);
            assert.ok(through <= 2.5e-7, `${band} bins, tone at ${f}: ${through.toExponential(2)}`);
            strongest = Math.max(strongest, through);
          });
        }
      }
    }
    // Float32 samples of a tone are themselves 3e-8 of it away from it.
    assert.ok(strongest > 1e-9, `${strongest}: no tone met an alias`);
  });

  it('are chosen for every mask that keeps low frequencies only, and no other', () => {
    const predict = (keeps: (bin: number) => boolean, fftSize = 65536): string => algorithm(gridCase('mask', fftSize / 2, gridOf(fftSize, keeps)).make(4).spec);
    assert.equal(predict((bin) => bin < 8192), DECIMATED);
    assert.equal(predict((bin) => bin < 4000 && bin % 3 > 0), DECIMATED);
    assert.equal(predict((bin) => bin < 16384), 'right-angle FFT');
    assert.equal(predict((bin) => bin < 2000 || bin === 32768), 'right-angle FFT');
    assert.equal(algorithm(gridCase('comb', 32768, combGrid(65536, [1, 2])).make(4).spec), 'comb-row FFT');
  });

  it('save arithmetic, bytes and time the more they drop', () => {
    for (const fftSize of [16384, 65536, 2 ** 19, 2 ** 21]) {
      const predict = (band: number): ReturnType<typeof engine.predict> => {
        const { spec } = gridCase('low-pass', fftSize / 2, gridOf(fftSize, (bin) => bin < band)).make(8);
        return engine.predict(spec, 1, fftSize / 2, 1);
      };
      let before = predict(fftSize / 2 + 1);
      for (const share of [1 / 4, 1 / 8, 1 / 16, 1 / 64]) {
        const now = predict((fftSize / 2) * share);
        assert.ok(now.executedFraction < before.executedFraction && now.preparedBytes < before.preparedBytes && now.seconds < before.seconds, `${share} of ${fftSize}`);
        before = now;
      }
    }
  });
});
