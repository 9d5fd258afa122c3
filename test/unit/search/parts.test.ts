import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import fc from 'fast-check';
import { UserError } from '../../../extension/core/errors';
import { candidateMasks } from '../../../extension/core/search/candidates';
import { Journal } from '../../../extension/core/search/journal';
import { spreadWindows } from '../../../extension/core/search/loss-meter';
import { defaultAxes, settingName, settingsOf } from '../../../extension/core/search/mask-setting';
import { paretoFront } from '../../../extension/core/search/pareto';

describe('settings of a sweep', () => {
  it('are every value on its own, once, and with "combine" every pattern with every cut', () => {
    const axes = { partial: [64, 8, 64], lowpass: [0.5], blocks: [[8, 8, 8]] };
    const names = (combine: boolean): string[] => settingsOf({ ...axes, combine }).map((setting) => settingName(setting, 'gain'));
    assert.deepEqual(names(false), ['partial:64', 'partial:8', 'lowpass:0.5', 'block:8.8.8:gain']);
    assert.deepEqual(names(true).slice(4), [
      'lowpass:0.5+partial:64', 'lowpass:0.5+partial:8', 'block:8.8.8:gain+partial:64', 'block:8.8.8:gain+partial:8',
    ]);
  });

  it('refuse to be none', () => assert.throws(() => settingsOf({}), UserError));

  it('have defaults for every length', () => {
    for (const length of [1, 2, 15, 1024, 5000]) {
      const { partial } = defaultAxes(length);
      assert.ok(partial!.length > 0 && partial!.every((taps) => Number.isInteger(taps) && taps >= 1 && taps <= length), `${length}: ${partial}`);
    }
  });
});

describe('the Pareto front', () => {
  it('holds exactly the points that no other beats', () => {
    fc.assert(fc.property(fc.array(fc.record({ speedup: fc.integer({ min: 1, max: 6 }), loss: fc.integer({ min: 0, max: 6 }) }), { minLength: 1, maxLength: 20 }), (points) => {
      const front = paretoFront(points);
      assert.ok(front.includes(true));
      points.forEach((p, i) => {
        const beaten = points.some((q) => q.speedup >= p.speedup && q.loss <= p.loss && (q.speedup !== p.speedup || q.loss !== p.loss));
        assert.equal(front[i], !beaten);
      });
    }));
  });
});

describe('windows of a search', () => {
  it('are spread over the whole data without repetition', () => {
    const all = Array.from({ length: 226 }, (_, i) => i);
    const some = spreadWindows(all, 32);
    assert.equal(new Set(some).size, 32);
    assert.ok(some[0] < 8 && some[31] > 218);
    assert.deepEqual(spreadWindows(all, undefined), all);
    assert.deepEqual(spreadWindows([1, 2], 5), [1, 2]);
  });
});

describe('candidates of a search', () => {
  it('go from mild to strong, and none keeps all', () => {
    for (const [taps, maxLength, length] of [[1026, 1026, 1024], [64, 1026, 1024], [1_000_002, 1_000_002, 524_288], [5, 8, 8]]) {
      const [cuts, ...patterns] = candidateMasks({ siteTaps: taps, maxLength }, length);
      const kept = cuts.map((mask) => mask.partial!.taps);
      assert.deepEqual(kept, [...new Set(kept)].sort((a, b) => b - a));
      assert.ok(kept.every((k) => k >= 4 && k < Math.min(taps, length)), String(kept));
      assert.ok(patterns.flat().every((mask) => mask.frequency && !mask.partial));
    }
  });
});

describe('the journal of a sweep', () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'longconv-surgeon-journal-'));
  const file = path.join(folder, 'sweep.unfinished');
  after(() => fs.rmSync(folder, { recursive: true }));

  it('gives back the rows of the same key, and only of that', async () => {
    const first = await Journal.open<number>(file, 'key', false);
    await first.add(1);
    await first.add(2);
    assert.deepEqual((await Journal.open<number>(file, 'key', false)).rows, [1, 2]);
    assert.deepEqual((await Journal.open<number>(file, 'other', false)).rows, []);
    assert.deepEqual((await Journal.open<number>(file, 'key', true)).rows, []);
  });

  it('begins anew over a damaged file, and leaves nothing when the job is complete', async () => {
    fs.writeFileSync(file, '{"key": "key", "rows": [1');
    const journal = await Journal.open<number>(file, 'key', false);
    assert.deepEqual(journal.rows, []);
    await journal.add(5);
    assert.deepEqual((await Journal.open<number>(file, 'key', false)).rows, [5]);
    await journal.close();
    assert.deepEqual(fs.readdirSync(folder), []);
    await (await Journal.open<number>(undefined, 'key', false)).add(1);
  });
});
