import * as assert from 'node:assert/strict';
import type { ConvolutionSpec } from '../../extension/core/engine/engine';
import { noise } from '../unit/graph/support/measure';
import { convolveOnce, engine } from './support/engine';
import { gridOf } from './support/grids';
import { signals } from './support/signals';
import { assertRefused, BAD_SIZES, detach, wrong } from './support/refusals';

const causal: ConvolutionSpec = { channels: 2, mode: 'causal', filterLength: 16, maxLength: 32 };
const grid: ConvolutionSpec = { channels: 2, mode: 'grid', filterLength: 64, maxLength: 32, grid: gridOf(64, (bin) => bin < 9) };
const gridWith = (change: object): ConvolutionSpec => ({ ...grid, grid: { ...grid.grid!, ...change } });
const causalFilter = noise(32, 1);
const gridFilter = noise(128, 2);

describe('hostile arguments of prepare', () => {
  const refuses = (what: string, spec: unknown, filter: unknown): void => {
    it(what, async () => {
      await assertRefused(what, () => engine.prepare(wrong(spec), wrong(filter)));
      assert.equal((await convolveOnce(causal, causalFilter, signals(1, 2, 32, false))).length, 64, 'the engine still works');
    });
  };
  for (const size of BAD_SIZES) {
    refuses(`channels ${String(size)}`, { ...causal, channels: size }, causalFilter);
    refuses(`filterLength ${String(size)}`, { ...causal, filterLength: size }, causalFilter);
    refuses(`fftSize ${String(size)}`, gridWith({ fftSize: size }), gridFilter);
    // A longest input of 2^31 samples may well be asked for.
    if (size !== 2 ** 31) refuses(`maxLength ${String(size)}`, { ...causal, maxLength: size }, causalFilter);
  }
  refuses('sizes whose product overflows', { ...causal, channels: 2 ** 32, filterLength: 2 ** 32 }, causalFilter);
  refuses('no spec', undefined, causalFilter);
  refuses('a number as spec', 5, causalFilter);
  refuses('an unknown mode', { ...causal, mode: 'backwards' }, causalFilter);
  refuses('no mode', { ...causal, mode: undefined }, causalFilter);
  refuses('an unknown instruction set', { ...causal, instructionSet: 'mmx' }, causalFilter);
  refuses('an instruction set of the wrong type', { ...causal, instructionSet: 7 }, causalFilter);
  refuses('no filter', causal, undefined);
  refuses('an empty filter', causal, new Float32Array(0));
  refuses('a short filter', causal, causalFilter.subarray(1));
  refuses('a long filter', causal, noise(33, 1));
  refuses('a Float64Array', causal, new Float64Array(32));
  refuses('a plain array', causal, Array.from(causalFilter));
  refuses('a DataView', causal, new DataView(new ArrayBuffer(128)));
  refuses('a detached filter', causal, detach(noise(32, 1)));
  refuses('grid mode without a grid', { ...grid, grid: undefined }, gridFilter);
  refuses('a circular filter longer than its input', { ...causal, mode: 'circular', maxLength: 15 }, causalFilter);
  refuses('a filter row that is not fftSize long', { ...grid, filterLength: 32 }, gridFilter.subarray(0, 64));
  refuses('inputs longer than half the grid', { ...grid, maxLength: 33 }, gridFilter);
  refuses('a grid that is no power of two', { channels: 2, mode: 'grid', filterLength: 60, maxLength: 30, grid: { fftSize: 60, factors: [10, 6], kept: new Uint8Array(31).fill(1) } }, noise(120, 1));
  refuses('factors with another product', gridWith({ factors: [16, 8] }), gridFilter);
  refuses('no factors', gridWith({ factors: [] }), gridFilter);
  refuses('factors of the wrong type', gridWith({ factors: 'abc' }), gridFilter);
  refuses('a fractional factor', gridWith({ factors: [2.5, 25.6] }), gridFilter);
  refuses('negative factors', gridWith({ factors: [-8, -8] }), gridFilter);
  refuses('too few kept flags', gridWith({ kept: new Uint8Array(32) }), gridFilter);
  refuses('too many kept flags', gridWith({ kept: new Uint8Array(64) }), gridFilter);
  refuses('kept flags of the wrong type', gridWith({ kept: new Float32Array(33) }), gridFilter);
  refuses('detached kept flags', gridWith({ kept: detach(new Uint8Array(33)) }), gridFilter);

  it('an object whose getter throws', async () => {
    const spec = { get channels(): number { throw new Error('The getter threw.'); } };
    await assertRefused('a throwing getter', () => engine.prepare(wrong(spec), causalFilter));
  });
});

describe('hostile arguments of predict', () => {
  const refuses = (what: string, call: () => unknown): void => {
    it(what, () => assertRefused(what, call));
  };
  for (const size of BAD_SIZES) {
    refuses(`batch ${String(size)}`, () => engine.predict(causal, wrong(size === 2 ** 31 ? -(2 ** 31) : size), 32, 1));
    refuses(`length ${String(size)}`, () => engine.predict(causal, 1, wrong(size), 1));
    // 0 and nothing: as many as there are.
    if (size !== 0 && size !== undefined && size !== null) refuses(`threads ${String(size)}`, () => engine.predict(causal, 1, 32, wrong(size)));
  }
  refuses('a length above maxLength', () => engine.predict(causal, 1, 33, 1));
  refuses('a broken spec', () => engine.predict(wrong({ ...causal, mode: 'x' }), 1, 32, 1));
});
