import assert from 'node:assert/strict';
import { parseBlocks, parseNumbers } from '../../../webview/plan/sweep-lists';
import { niceTicks } from '../../../webview/plots/ticks';

describe('lists of a sweep', () => {
  it('are numbers between commas', () => {
    assert.deepEqual(parseNumbers(' 512, 64,,8 ', 'cuts', Number.isInteger), [512, 64, 8]);
    assert.deepEqual(parseNumbers('', 'cuts', Number.isInteger), []);
    assert.throws(() => parseNumbers('64, x', 'cuts', Number.isInteger), /“x” cannot be one of the cuts/);
  });

  it('are block patterns between semicolons', () => assert.deepEqual(parseBlocks('8.8.8; 4,16,8 ;'), [[8, 8, 8], [4, 16, 8]]));
});

describe('ticks of an axis', () => {
  it('are round and inside it', () => {
    assert.deepEqual(niceTicks(0.96, 1.48, 6), [1, 1.1, 1.2, 1.3, 1.4]);
    for (const [low, high] of [[0, 1e-6], [-3, 1e6], [0.999, 1.001]]) {
      const ticks = niceTicks(low, high, 6);
      assert.ok(ticks.length >= 2 && ticks.length <= 8 && ticks.every((tick) => tick >= low && tick <= high), String(ticks));
    }
  });
});
