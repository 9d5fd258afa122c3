import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { ChannelMask, SurgeryPlan } from '../../../extension/core/plan/plan';
import type { SiteSummary } from '../../../extension/core/protocol/kernel-host';
import { changedPlan } from '../../../extension/editors/plan-changes';
import { textChange } from '../../../extension/editors/text-change';

const site = (id: string, taps = 1024): SiteSummary => ({
  id, layer: 0, channels: 128, taps, direction: 'causal', storage: 'implicit', writeBack: ['baked'], defaultGrid: { fftSize: 2048, factors: [16, 16, 8], taps },
});
const sites = [site('a'), site('b'), site('short', 64), site('c')];
const masks: ChannelMask[] = [{ partial: { taps: 32 } }];
const plan: SurgeryPlan = { version: 1, model: { path: 'm.safetensors', family: 'hyenadna', fingerprint: 'sha256:0' }, sites: [] };

describe('changes that the plan editor makes', () => {
  it('keep the sites in the order of the model, whatever the order of the edits', () => {
    const second = changedPlan(plan, { kind: 'setMasks', site: 'c', masks }, sites);
    assert.deepEqual(changedPlan(second, { kind: 'setMasks', site: 'a', masks }, sites).sites.map(planned => planned.site), ['a', 'c']);
  });

  it('take a site without masks out of the plan', () => {
    const one = changedPlan(plan, { kind: 'setMasks', site: 'b', masks }, sites);
    assert.deepEqual(changedPlan(one, { kind: 'setMasks', site: 'b', masks: [] }, sites), plan);
    assert.deepEqual(changedPlan(one, { kind: 'clearAll' }, sites), plan);
  });

  it('copy masks to the sites that they fit, and leave the others alone', () => {
    const one = changedPlan(plan, { kind: 'setMasks', site: 'a', masks }, sites);
    assert.deepEqual(changedPlan(one, { kind: 'copyToAll', site: 'a' }, sites).sites, ['a', 'b', 'c'].map(id => ({ site: id, masks })));
  });

  it('say so when masks fit no other site', () => {
    assert.throws(() => changedPlan(plan, { kind: 'copyToAll', site: 'short' }, sites), /No other site has the channels and taps of short/);
  });

  it('leave the plan that they start from as it was', () => {
    changedPlan(plan, { kind: 'setMasks', site: 'a', masks }, sites);
    assert.deepEqual(plan.sites, []);
  });
});

describe('the text edit of a change', () => {
  it('turns the one text into the other, and touches no more than it has to', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '\n'), maxLength: 30 });
    fc.assert(fc.property(text, text, (before, after) => {
      const change = textChange(before, after);
      if (!change) return assert.equal(before, after);
      assert.equal(before.slice(0, change.start) + change.text + before.slice(change.end), after);
      const removed = before.slice(change.start, change.end);
      assert.ok(removed === '' || change.text === '' || (removed[0] !== change.text[0] && removed.at(-1) !== change.text.at(-1)));
    }));
  });
});
