import assert from 'node:assert/strict';
import { noise } from '../unit/graph/support/measure';
import { spectralEngine } from '../unit/plan/support/spectral-engine';
import { engine } from './support/engine';

/** Equal on the circle: -pi and pi are the same phase. */
const apart = (a: number, b: number): number => Math.abs(2 * Math.sin((a - b) / 2));

describe('the phase of a filter', () => {
  it('of a delayed impulse falls by 2 pi d / N for each bin', async () => {
    const [delay, fftSize] = [5, 64];
    const taps = new Float32Array(20);
    taps[delay] = 0.5;
    const phases = await engine.spectrum(taps, 20, fftSize, 'phase');
    assert.equal(phases.length, 33);
    phases.forEach((phase, bin) => assert.ok(apart(phase, (-2 * Math.PI * delay * bin) / fftSize) < 1e-6, `bin ${bin}: ${phase}`));
    assert.ok(phases.some((phase) => Math.abs(phase) > 1));
  });

  it('of a negative impulse is pi everywhere', async () => {
    for (const phase of await engine.spectrum(Float32Array.of(-1), 1, 16, 'phase')) assert.ok(apart(phase, Math.PI) < 1e-6);
  });

  it('of several rows of noise is that of a textbook transform', async () => {
    for (const rows of [1, 3]) {
      const values = noise(rows * 100, 1);
      const [actual, expected] = await Promise.all([engine, spectralEngine].map((each) => each.spectrum(values, 100, 256, 'phase')));
      assert.equal(actual.length, rows * 129);
      actual.forEach((phase, i) => assert.ok(apart(phase, expected[i]) < 1e-6, `${phase}, not ${expected[i]}`));
    }
  });
});
