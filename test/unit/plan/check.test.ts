import * as assert from 'node:assert/strict';
import type { CheckedModel } from '../../../extension/core/plan/check';
import { checkPlan, checkRunLength } from '../../../extension/core/plan/check';
import type { ChannelMask } from '../../../extension/core/plan/plan';
import { frequency, plan } from './support/plans';

const site = (id: string): CheckedModel['sites'][number] => ({ id, channels: 128, taps: 1026, direction: 'causal' });
const MODEL: CheckedModel = { name: 'tiny', family: 'hyenadna', sites: [site('layers.0.mixer'), site('layers.1.mixer')] };
const check = (masks: ChannelMask[], model = MODEL): void => checkPlan(plan(...masks), model);

describe('checking a plan against its model', () => {
  const block = frequency({ kind: 'block', counts: [8, 8, 8] });

  it('accepts what fits', () => {
    check([{ channels: [0, 64], frequency: block }, { channels: [64, 128], partial: { taps: 1026 } }]);
  });

  it('refuses another family, and names an unknown site with the nearest one', () => {
    assert.throws(() => check([{ partial: { taps: 8 } }], { ...MODEL, family: 'h3' }), /^UserError: model\.family: the plan is for hyenadna, but tiny is h3\.$/);
    const other = { ...plan({ partial: { taps: 8 } }), sites: [{ site: 'layer.1.mixer', masks: [{ partial: { taps: 8 } }] }] };
    assert.throws(() => checkPlan(other, MODEL), (error: Error & { hint?: string }) =>
      error.message === 'sites[0].site: tiny has no site layer.1.mixer (perhaps layers.1.mixer is meant).' && error.hint === 'Its sites are layers.0.mixer, layers.1.mixer.');
  });

  it('refuses channels, taps and grids beyond the site', () => {
    assert.throws(() => check([{ channels: [0, 129], partial: { taps: 8 } }]), /sites\[0\]\.masks\[0\]\.channels: the range \[0, 129\) goes beyond the 128 channels/);
    assert.throws(() => check([{ partial: { taps: 1027 } }]), /masks\[0\]\.partial\.taps: 1027 taps, but the filter of layers\.0\.mixer has only 1026/);
    const short = { ...MODEL, sites: [{ ...site('layers.0.mixer'), taps: 512 }] };
    assert.throws(() => check([{ frequency: block }], short), /frequency\.grid\.taps: 1024 taps, but the filter of layers\.0\.mixer has only 512/);
  });

  it('refuses sites that cannot be masked', () => {
    const baked = { ...MODEL, sites: [{ ...site('layers.0.mixer'), embedded: { tensor: 'k', circular: true, channelMasks: [] } }] };
    assert.throws(() => check([{ partial: { taps: 8 } }], baked), /already holds a frequency-masked filter with negative lags/);
  });

  it('wants the whole ring of a circular convolution, and at most half a grid of any other', () => {
    const ring = { fftSize: 512, factors: [32, 16], taps: 512 };
    const of = (direction: 'causal' | 'bidirectional' | 'circular', taps: number) => ({ ...MODEL, sites: [{ ...site('layers.0.mixer'), direction, taps }] });
    check([{ frequency: { ...block!, grid: ring, keep: { kind: 'lowpass', fraction: 0.5 } } }], of('circular', 512));
    check([{ frequency: block }], of('bidirectional', 1024));
    assert.throws(() => check([{ frequency: block }], of('circular', 1024)), /grid\.fftSize: layers\.0\.mixer is a circular convolution on 1024 points, so its grid must have 1024 points and taps, not 2048 and 1024/);
    assert.throws(() => check([{ frequency: { ...block!, grid: ring, keep: { kind: 'lowpass', fraction: 0.5 } } }], of('bidirectional', 512)),
      /grid\.taps: 512 taps fill more than half of the 512 points, but layers\.0\.mixer is not a circular convolution/);
  });

  it('refuses runs longer than half of a grid, which a partial mask does not need', () => {
    checkRunLength(plan({ frequency: block }), 1024);
    checkRunLength(plan({ frequency: block, partial: { taps: 8 } }), 5000);
    checkRunLength(plan({ partial: { taps: 8 } }), 5000);
    assert.throws(() => checkRunLength(plan({ channels: [0, 1], partial: { taps: 8 } }, { channels: [1, 2], frequency: block }), 1025),
      /^UserError: sites\[0\]\.masks\[1\]\.frequency\.grid\.fftSize: 2048 points take inputs of up to 1024 tokens, but the run has 1025\.$/);
  });
});
