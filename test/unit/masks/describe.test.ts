import * as assert from 'node:assert/strict';
import { describeMask, describeMasks } from '../../../extension/core/masks/describe';

const grid = { fftSize: 2048, factors: [16, 16, 8], taps: 1024 };

describe('mask descriptions', () => {
  it('say pattern, grid, symmetry, taps and channels in one line', () => {
    const block = { grid, symmetry: 'conjugate', keep: { kind: 'block', counts: [8, 8, 8] } } as const;
    assert.equal(describeMask({ frequency: block, partial: { taps: 256 } }), 'block 8.8.8 of 2048 = 16x16x8, conjugate; first 256 taps');
    assert.equal(describeMask({ channels: [0, 64], partial: { taps: 1, taper: 1 } }), 'channels 0-63: first 1 tap, taper 1');
    assert.equal(describeMask({ frequency: { grid, symmetry: 'gain', keep: { kind: 'lowpass', fraction: 0.25 } } }), 'lowpass 0.25 of 2048 = 16x16x8');
    assert.equal(describeMask({ frequency: { grid, symmetry: 'gain', keep: { kind: 'comb', rows: 4 } } }), 'comb 4 of 16 rows of 2048 = 16x16x8, gain');
    const cells = { digits: [0, 2], runs: [0, 30, 40, 7] };
    assert.equal(describeMask({ frequency: { ...block, keep: { kind: 'energy', fraction: 0.9, cells } } }), 'energy 0.9 (37 of 128 cells) of 2048 = 16x16x8, conjugate');
    assert.equal(describeMask({ frequency: { ...block, keep: { kind: 'cells', cells } } }), '37 of 128 cells of 2048 = 16x16x8, conjugate');
    assert.equal(describeMask({ frequency: { ...block, keep: { kind: 'bandpass', from: 0.1, to: 0.5 } } }), 'bandpass 0.1 to 0.5 of 2048 = 16x16x8');
    assert.equal(describeMasks([]), 'dense');
    assert.equal(describeMasks([{ channels: [0, 2], partial: { taps: 8 } }, { channels: [2, 4], partial: { taps: 4 } }]), 'channels 0-1: first 8 taps | channels 2-3: first 4 taps');
  });
});
