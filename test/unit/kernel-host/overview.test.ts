import assert from 'node:assert/strict';
import { phaseAt } from '../../../extension/kernel-host/views/phase';

describe('the phase of a filter', () => {
  it('of a delayed impulse falls by 2 pi d / N for each bin', () => {
    const [delay, fftSize] = [5, 64];
    const taps = new Float32Array(20);
    taps[delay] = 0.5;
    const bins = Float64Array.from({ length: 33 }, (_, f) => f);
    const phases = phaseAt(taps, bins, fftSize);
    bins.forEach((bin) => {
      const expected = (-2 * Math.PI * delay * bin) / fftSize;
      // Equal on the circle: -pi and pi are the same phase.
      assert.ok(Math.abs(Math.sin((phases[bin] - expected) / 2)) < 1e-6, `bin ${bin}: ${phases[bin]}`);
    });
    assert.ok(phases.some((phase) => Math.abs(phase) > 1));
  });

  it('of a negative impulse is pi everywhere', () => {
    for (const phase of phaseAt(Float32Array.from([-1]), Float64Array.from([0, 3, 8]), 16)) assert.ok(Math.abs(Math.abs(phase) - Math.PI) < 1e-6);
  });
});
