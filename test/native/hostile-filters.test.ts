import { noise } from '../unit/graph/support/measure';
import { engine } from './support/engine';
import { assertRefused, BAD_SIZES, detach, wrong } from './support/refusals';

const refuses = (what: string, call: () => unknown): void => {
  it(what, () => assertRefused(what, call));
};

describe('hostile arguments of maskFilter', () => {
  const good = { filter: noise(20, 1), channels: 2, taps: 10, frequency: { fftSize: 32, gain: new Float64Array(17).fill(1) }, want: 'grid' };
  const changed = (change: object) => () => engine.maskFilter(wrong({ ...good, ...change }));
  for (const size of BAD_SIZES) {
    refuses(`channels ${String(size)}`, changed({ channels: size }));
    refuses(`taps ${String(size)}`, changed({ taps: size }));
    refuses(`fftSize ${String(size)}`, changed({ frequency: { ...good.frequency, fftSize: size } }));
  }
  refuses('no request', () => engine.maskFilter(wrong(undefined)));
  refuses('a short filter', changed({ filter: noise(19, 1) }));
  refuses('a Float64Array as filter', changed({ filter: new Float64Array(20) }));
  refuses('a detached filter', changed({ filter: detach(noise(20, 1)) }));
  refuses('an fftSize below the taps', changed({ frequency: { fftSize: 8, gain: new Float64Array(5) } }));
  refuses('too few gains', changed({ frequency: { fftSize: 32, gain: new Float64Array(16) } }));
  refuses('too many gains', changed({ frequency: { fftSize: 32, gain: new Float64Array(32) } }));
  refuses('gains in float32', changed({ frequency: { fftSize: 32, gain: new Float32Array(17) } }));
  refuses('detached gains', changed({ frequency: { fftSize: 32, gain: detach(new Float64Array(17)) } }));
  refuses('lag weights in float32', changed({ lagWeights: new Float32Array(10) }));
  refuses('detached lag weights', changed({ lagWeights: detach(new Float64Array(10)) }));
  refuses('an unknown wish', changed({ want: 'everything' }));
  refuses('grid rows without a grid', changed({ frequency: undefined }));
});

describe('hostile arguments of spectrum', () => {
  for (const size of BAD_SIZES) {
    refuses(`taps ${String(size)}`, () => engine.spectrum(noise(20, 1), wrong(size), 32));
    // 2^31 points are many, not wrong.
    if (size !== 2 ** 31) refuses(`fftSize ${String(size)}`, () => engine.spectrum(noise(20, 1), 10, wrong(size)));
  }
  refuses('rows that are no multiple of the taps', () => engine.spectrum(noise(19, 1), 10, 32));
  refuses('an fftSize below the taps', () => engine.spectrum(noise(20, 1), 10, 8));
  refuses('an fftSize that is no power of two', () => engine.spectrum(noise(20, 1), 10, 24));
  refuses('a Float64Array', () => engine.spectrum(wrong(new Float64Array(20)), 10, 32));
  refuses('detached rows', () => engine.spectrum(detach(noise(20, 1)), 10, 32));
  refuses('nothing', () => engine.spectrum(wrong(undefined), 10, 32));
});

describe('hostile arguments of sirenFilter', () => {
  const good = {
    z: noise(6 * 3, 1), t: noise(6, 2), features: 3, freq: noise(4, 3), output: noise(2 * 4, 4), window: { deltas: noise(2, 5), shift: 0.1 },
    layers: [{ weight: noise(12, 6), bias: noise(4, 7) }, { weight: noise(16, 8), bias: noise(4, 9) }],
  };
  const changed = (change: object) => () => engine.sirenFilter(wrong({ ...good, ...change }));
  for (const size of BAD_SIZES) refuses(`features ${String(size)}`, changed({ features: size }));
  refuses('no request', () => engine.sirenFilter(wrong(undefined)));
  refuses('features that do not fit z', changed({ z: noise(17, 1) }));
  refuses('fewer times than positions', changed({ t: noise(5, 1) }));
  refuses('a first layer of the wrong size', changed({ layers: [{ weight: noise(11, 1), bias: noise(4, 1) }] }));
  refuses('a second layer of the wrong size', changed({ layers: [good.layers[0], { weight: noise(15, 1), bias: noise(4, 1) }] }));
  refuses('a bias of the wrong size', changed({ layers: [{ weight: noise(12, 1), bias: noise(3, 1) }] }));
  refuses('layers of the wrong type', changed({ layers: 'abc' }));
  refuses('a layer without weights', changed({ layers: [{ bias: noise(4, 1) }] }));
  refuses('no frequencies', changed({ freq: new Float32Array(0) }));
  refuses('a place that is too small', changed({ into: { rows: new Float32Array(11), stride: 6 } }));
  refuses('a place whose rows overlap', changed({ into: { rows: new Float32Array(12), stride: 5 } }));
  refuses('a place of the wrong type', changed({ into: { rows: new Float64Array(12), stride: 6 } }));
  refuses('a place without a stride', changed({ into: { rows: new Float32Array(12) } }));
  refuses('an output of the wrong size', changed({ output: noise(7, 1) }));
  refuses('a window of the wrong size', changed({ window: { deltas: noise(3, 1), shift: 0 } }));
  refuses('a shift that is no number', changed({ window: { deltas: noise(2, 1), shift: 'x' } }));
  refuses('detached z', changed({ z: detach(noise(18, 1)) }));
  refuses('detached t', changed({ t: detach(noise(6, 1)) }));
  refuses('detached output', changed({ output: detach(noise(8, 1)) }));
});

describe('hostile arguments of lowRankFilter', () => {
  const pair = (size: number) => ({ re: new Float64Array(size).fill(-0.5), im: new Float64Array(size).fill(0.2) });
  const good = {
    channels: 2, states: 3, rank: 1, poles: pair(6), lowRank: pair(6), inputs: pair(6), outputs: pair(6), steps: new Float64Array(2).fill(0.1), first: 0, count: 4, output: new Float32Array(8),
  };
  const changed = (change: object) => () => engine.lowRankFilter(wrong({ ...good, ...change }));
  for (const size of BAD_SIZES) {
    for (const name of ['channels', 'states', 'rank']) refuses(`${name} ${String(size)}`, changed({ [name]: size }));
  }
  refuses('no request', () => engine.lowRankFilter(wrong(undefined)));
  refuses('a negative first lag', changed({ first: -1 }));
  refuses('a negative tuned length', changed({ tuned: -1 }));
  refuses('half a tuned length', changed({ tuned: 0.5 }));
  for (const name of ['poles', 'lowRank', 'inputs', 'outputs']) {
    refuses(`${name} of the wrong size`, changed({ [name]: pair(5) }));
    refuses(`${name} without imaginary parts`, changed({ [name]: { re: new Float64Array(6) } }));
    refuses(`detached ${name}`, changed({ [name]: { re: new Float64Array(6), im: detach(new Float64Array(6)) } }));
  }
  refuses('steps in float32', changed({ steps: new Float32Array(2) }));
  refuses('an output of the wrong size', changed({ output: new Float32Array(7) }));
  refuses('a detached output', changed({ output: detach(new Float32Array(8)) }));
  refuses('more states than there is memory for', changed({ channels: 1, states: 1025, poles: pair(1025), lowRank: pair(1025), inputs: pair(1025), outputs: pair(1025), steps: new Float64Array(1), output: new Float32Array(4) }));
  refuses('a rank beyond all states', changed({ rank: 7, lowRank: pair(42) }));
});
