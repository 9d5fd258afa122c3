import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { ChannelMask } from '../../../extension/core/plan/plan';
import { channelParts, maskAt, rangeName, withMask } from '../../../webview/plan/channel-ranges';

const H = 16;
const cut = (taps: number): ChannelMask => ({ partial: { taps } });
const change = fc.record({
  range: fc.tuple(fc.integer({ min: 0, max: H - 1 }), fc.integer({ min: 1, max: H })).map(([first, length]): [number, number] => [first, Math.min(H, first + length)]),
  mask: fc.option(fc.integer({ min: 1, max: 3 }).map(cut)),
});

describe('masks of channel ranges', () => {
  it('act on exactly the channels that were changed last', () => {
    fc.assert(fc.property(fc.array(change, { maxLength: 12 }), changes => {
      const expected = new Array<number>(H).fill(0);
      let masks: ChannelMask[] = [];
      for (const { range, mask } of changes) {
        masks = withMask(masks, range, H, mask);
        expected.fill(mask?.partial?.taps ?? 0, range[0], range[1]);
      }
      assert.deepEqual(expected.map((_, channel) => maskAt(masks, channel, H)?.partial?.taps ?? 0), expected);
      const parts = channelParts(masks, H);
      assert.deepEqual(parts.flatMap(({ range: [first, end], mask }) => new Array<number>(end - first).fill(mask?.partial?.taps ?? 0)), expected);
      assert.equal(parts[0].range[0], 0);
      assert.equal(parts.at(-1)!.range[1], H);
    }));
  });

  it('name no range where a mask acts on all channels', () => {
    assert.deepEqual(withMask([], [0, H], H, cut(4)), [cut(4)]);
    assert.deepEqual(withMask(withMask([], [0, 8], H, cut(4)), [8, H], H, cut(4)), [cut(4)]);
  });

  it('split a mask that a range is cut out of', () => {
    assert.deepEqual(withMask([cut(4)], [4, 8], H, null), [{ channels: [0, 4], ...cut(4) }, { channels: [8, H], ...cut(4) }]);
  });

  it('have names', () => {
    assert.deepEqual([rangeName([0, H], H), rangeName([3, 4], H), rangeName([3, 6], H)], ['all 16 channels', 'channel 3', 'channels 3–5']);
  });
});
