import * as assert from 'node:assert/strict';
import * as path from 'node:path';
import fc from 'fast-check';
import { UserError } from '../../../extension/core/errors';
import type { ChannelMask } from '../../../extension/core/plan/plan';
import { formatPlan, loadPlan, parsePlan, readPlan, relativeModelPath, resolveModelPath } from '../../../extension/core/plan/read';
import { temporaryFolder } from '../support/files';
import { frequency, plan } from './support/plans';

type Json = Record<string, unknown>;

/** A copy of a plan, changed by `change`, as text. */
function changed(change: (plan: Json & { sites: { masks: Json[] }[] }) => void, ...masks: ChannelMask[]): string {
  const copy = JSON.parse(JSON.stringify(plan(...masks))) as Json & { sites: { masks: Json[] }[] };
  change(copy);
  return JSON.stringify(copy, undefined, 2);
}

const grid = (mask: Json): Json => (mask.frequency as Json).grid as Json;
const keep = (mask: Json): Json => (mask.frequency as Json).keep as Json;

describe('reading plans', () => {
  const folder = temporaryFolder();
  const block = frequency({ kind: 'block', counts: [8, 8, 8] });

  it('reads every kind of mask as it was written', () => {
    const cells = { digits: [0, 2], runs: [0, 5, 16, 3] };
    const all = plan(
      { channels: [0, 1], frequency: block, partial: { taps: 100, taper: 10 } },
      { channels: [1, 2], frequency: frequency({ kind: 'lowpass', fraction: 0.25 }, 'gain') },
      { channels: [2, 3], frequency: frequency({ kind: 'bandpass', from: 0.1, to: 0.5 }) },
      { channels: [3, 4], frequency: frequency({ kind: 'comb', rows: 4 }) },
      { channels: [4, 5], frequency: frequency({ kind: 'energy', fraction: 0.9, cells }) },
      { channels: [5, 6], frequency: frequency({ kind: 'cells', cells }) },
      { channels: [6, 7], partial: { taps: 64 } },
    );
    assert.deepEqual(readPlan(formatPlan(all), 'p.surgery.json'), all);
    assert.deepEqual(readPlan(formatPlan({ ...all, sites: [] }), 'p'), { ...all, sites: [] });
    assert.deepEqual(readPlan(formatPlan({ ...all, $schema: 'https://example.org/s.json' }), 'p').$schema, 'https://example.org/s.json');
  });

  const refused: [what: string, text: string, message: RegExp][] = [
    ['broken JSON', '{\n  "version": 1,\n}', /^p\.surgery\.json, line 2: not valid JSON: a comma before } is not allowed\.$/],
    ['another version', changed((p) => { p.version = 2; }, { partial: { taps: 8 } }), /line 2: version: plan version 2 cannot be read; this release reads version 1\.$/],
    ['a list', '[]', /line 1: \[\] is not an object\.$/],
    ['an unknown field', changed((p) => { p.sites[0].masks[0].partal = 1; }, { partial: { taps: 8 } }), /sites\[0\]\.masks\[0\]\.partal: this field is not known here \(perhaps "partial" is meant\)/],
    ['a missing field', changed((p) => { delete p.model; }, { partial: { taps: 8 } }), /model: this field is missing/],
    ['a mask without anything', changed(() => {}, {}), /sites\[0\]\.masks\[0\]: the mask has neither "frequency" nor "partial"\.$/],
    ['an empty list of masks', changed(() => {}), /sites\[0\]\.masks: the list has 0 items, but needs at least 1/],
    ['a wrong type', changed((p) => { p.sites[0].masks[0].partial = { taps: '8' }; }, {}), /sites\[0\]\.masks\[0\]\.partial\.taps: "8" is not a whole number/],
    ['no taps', changed(() => {}, { partial: { taps: 0 } }), /partial\.taps: 0 is less than 1/],
    ['a foreign fingerprint', changed((p) => { (p.model as Json).fingerprint = 'md5:12'; }, { partial: { taps: 8 } }), /model\.fingerprint: "md5:12" is not of the form sha256/],
    ['an unknown symmetry', changed((p) => { (p.sites[0].masks[0].frequency as Json).symmetry = 'none'; }, { frequency: block }), /frequency\.symmetry: "none" is not one of conjugate, gain/],
    ['an unknown pattern', changed((p) => { keep(p.sites[0].masks[0]).kind = 'blok'; }, { frequency: block }), /frequency\.keep\.kind: "blok" is not one of block, lowpass/],
    ['a field of another pattern', changed((p) => { keep(p.sites[0].masks[0]).fraction = 0.5; }, { frequency: block }), /frequency\.keep\.fraction: this field is not known here/],
    ['a fraction above 1', changed(() => {}, { frequency: frequency({ kind: 'lowpass', fraction: 1.5 }) }), /keep\.fraction: 1\.5 is more than 1/],
    ['factors of another size', changed((p) => { grid(p.sites[0].masks[0]).factors = [16, 16, 4]; }, { frequency: block }),
      /sites\[0\]\.masks\[0\]\.frequency\.grid\.factors: 16 x 16 x 4 = 1024, but fftSize is 2048\.$/],
    ['too many taps for the grid', changed((p) => { grid(p.sites[0].masks[0]).taps = 1025; }, { frequency: block }), /grid\.taps: 1025 is not between 1 and fftSize\/2 = 1024/],
    ['a count beyond its factor', changed(() => {}, { frequency: frequency({ kind: 'block', counts: [16, 17, 8] }) }), /keep\.counts\[1\]: 17 is not between 1 and 16/],
    ['cells outside the grid', changed(() => {}, { frequency: frequency({ kind: 'cells', cells: { digits: [0], runs: [10, 7] } }) }), /keep\.cells\.runs: cells 10 to 16 of run 0 lie outside the grid's 16 cells/],
    ['overlapping ranges', changed(() => {}, { channels: [0, 8], partial: { taps: 8 } }, { channels: [4, 9], partial: { taps: 4 } }), /sites\[0\]\.masks\[1\]\.channels: the range \[4, 9\) overlaps/],
    ['an empty range', changed(() => {}, { channels: [8, 8], partial: { taps: 8 } }), /channels: the range \[8, 8\) is empty/],
    ['two masks for all channels', changed(() => {}, { partial: { taps: 8 } }, { channels: [4, 9], partial: { taps: 4 } }), /sites\[0\]\.masks\[0\]\.channels: this field is missing: without it/],
    ['a taper longer than the taps', changed(() => {}, { partial: { taps: 8, taper: 9 } }), /partial\.taper: a taper of 9 lags does not fit into 8 taps/],
    ['a cut beyond the grid', changed(() => {}, { frequency: block, partial: { taps: 1026 } }), /partial\.taps: 1026 taps, but only 1024 enter the grid/],
    ['a site listed twice', changed((p) => { p.sites.push(p.sites[0]); }, { partial: { taps: 8 } }), /sites\[1\]\.site: layers\.0\.mixer is listed already, as sites\[0\]/],
  ];
  for (const [what, text, message] of refused) {
    it(`refuses ${what}`, () => {
      assert.throws(() => readPlan(text, path.join('folder', 'p.surgery.json')), (error) => {
        assert.ok(error instanceof UserError);
        assert.match(error.message, message);
        assert.match(error.message, /^p\.surgery\.json, line \d+: .*\.$/);
        return true;
      });
    });
  }

  it('either reads a text or says in one sentence what is wrong, whatever it is', () => {
    const good = JSON.stringify(plan({ channels: [0, 4], frequency: block, partial: { taps: 8, taper: 2 } }, {
      channels: [4, 8], frequency: frequency({ kind: 'energy', fraction: 0.5, cells: { digits: [0, 2], runs: [0, 5, 9, 2] } }),
    }));
    const values = [...good.matchAll(/(?<=[:[,])(?:"[^"]*"|[\d.]+|\[[\d,]*\]|\{\})/g)];
    const replacement = fc.oneof(fc.json({ maxDepth: 1 }), fc.constantFrom('-1', '0', '1', '3', '1.5', '1e308', '9007199254740993', '[]', '{}', '""', '[1,2]', 'null'));
    fc.assert(fc.property(fc.nat(), replacement, (seed, value) => {
      const { 0: old, index } = values[seed % values.length];
      try {
        formatPlan(readPlan(good.slice(0, index) + value + good.slice(index + old.length), 'p.json'));
      } catch (error) {
        assert.ok(error instanceof UserError, String(error));
        assert.match(error.message, /^p\.json, line 1: [^]+\.$/);
      }
    }), { numRuns: 2000 });
  });

  it('lists every problem in text order with its place', () => {
    const text = changed((p) => {
      p.extra = 1;
      p.sites[0].masks[0].partial = { taps: 0, taper: -1 };
    }, { partial: { taps: 8 } });
    const result = parsePlan(text);
    assert.ok('problems' in result);
    assert.deepEqual(result.problems.map(({ offset, end }) => text.slice(offset, end)), ['"taps": 0', '"taper": -1', '"extra": 1']);
    assert.throws(() => readPlan(text, 'p'), /\(and 2 more\)\.$/);
  });

  it('reads files, and says why it cannot', async () => {
    const file = await folder.write('a/p.surgery.json', formatPlan(plan({ partial: { taps: 8 } })));
    assert.deepEqual(await loadPlan(file), plan({ partial: { taps: 8 } }));
    await assert.rejects(loadPlan(folder.file('none.json')), /^UserError: .*none\.json cannot be read: there is no such file\.$/);
    await assert.rejects(loadPlan(folder.file('a')), /it is a folder/);
  });

  it('resolves the model path from the plan, and makes it relative to it', () => {
    const p = plan({ partial: { taps: 8 } });
    assert.equal(resolveModelPath({ ...p, model: { ...p.model, path: '../models/m.safetensors' } }, '/data/plans/p.json'), '/data/models/m.safetensors');
    assert.equal(resolveModelPath({ ...p, model: { ...p.model, path: '/m.safetensors' } }, '/data/plans/p.json'), '/m.safetensors');
    assert.equal(relativeModelPath('/data/models/m.safetensors', '/data/plans/p.json'), '../models/m.safetensors');
    assert.equal(relativeModelPath('/data/m.safetensors', '/data/p.json'), 'm.safetensors');
  });

  it('writes short lists on one line and long ones in filled lines', () => {
    const runs = Array.from({ length: 60 }, (_, i) => 4 * i + (i % 2));
    const text = formatPlan(plan({ frequency: frequency({ kind: 'cells', cells: { digits: [0, 2], runs } }) }));
    assert.match(text, /"factors": \[16, 16, 8\],\n/);
    assert.ok(text.endsWith('}\n'));
    assert.ok(text.split('\n').every((line) => line.length <= 100));
    assert.equal(text.indexOf('"version"') < text.indexOf('"model"') && text.indexOf('"model"') < text.indexOf('"sites"'), true);
    // The same plan with its fields in another order gives the same text.
    const reversed = JSON.parse(JSON.stringify(plan({ partial: { taps: 8 } })), (_, value: unknown) =>
      typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.fromEntries(Object.entries(value).reverse()) : value) as ReturnType<typeof plan>;
    assert.equal(formatPlan(reversed), formatPlan(plan({ partial: { taps: 8 } })));
  });
});
