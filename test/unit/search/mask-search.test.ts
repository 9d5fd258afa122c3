import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { ChannelMask } from '../../../extension/core/plan/plan';
import { spend } from '../../../extension/core/search/greedy';
import { MaskSearch } from '../../../extension/core/search/search';
import type { SearchLab, Trial } from '../../../extension/core/search/search';

/** Sites whose loss and time follow formulas, so that the best choice is known without a model. */
class FormulaLab implements SearchLab {
  readonly sites: readonly string[];
  measurements = 0;

  /** @param interaction added for each pair of masked sites: losses that do not add up. */
  constructor(private readonly sensitivity: Readonly<Record<string, number>>, private readonly interaction = 0, private readonly floor = 0) {
    this.sites = Object.keys(sensitivity);
  }

  candidates(): readonly (readonly ChannelMask[])[] {
    return [[512, 256, 128, 64, 32, 16, 8].map((taps) => ({ partial: { taps } }))];
  }

  lossOf(masks: ReadonlyMap<string, ChannelMask>): number {
    const pairs = (masks.size * (masks.size - 1)) / 2;
    return [...masks].reduce((sum, [site, mask]) => sum + this.sensitivity[site] / mask.partial!.taps, 0) + this.interaction * pairs;
  }

  loss(masks: ReadonlyMap<string, ChannelMask>): Promise<number> {
    this.measurements++;
    return Promise.resolve(this.lossOf(masks));
  }

  time(_site: string, mask: ChannelMask | undefined): Promise<number> {
    return Promise.resolve(mask ? this.floor + mask.partial!.taps / 1024 : 1);
  }
}

async function find(lab: FormulaLab, budget: number, tries = 60): Promise<{ masks: ReadonlyMap<string, ChannelMask>; trials: Trial[] }> {
  const trials: Trial[] = [];
  const search = new MaskSearch(lab, { budget, tries, onTrial: (trial) => trials.push(trial) });
  await search.measureSites();
  return { masks: await search.find(), trials };
}

const taps = (masks: ReadonlyMap<string, ChannelMask>): Record<string, number> => Object.fromEntries([...masks].map(([site, mask]) => [site, mask.partial!.taps]));

describe('the search for a mask', () => {
  it('cuts the insensitive site more than the sensitive one', async () => {
    const { masks } = await find(new FormulaLab({ a: 0.1, b: 10 }), 0.1);
    const found = taps(masks);
    assert.ok(found.a < found.b, JSON.stringify(found));
    assert.equal(found.a, 8);
  });

  it('never ends above the budget, whatever the sites and however little their losses add up', async () => {
    await fc.assert(fc.asyncProperty(
      fc.array(fc.double({ min: 0.001, max: 20, noNaN: true }), { minLength: 1, maxLength: 6 }), fc.double({ min: 0.001, max: 1, noNaN: true }), fc.double({ min: 0, max: 0.2, noNaN: true }),
      async (sensitivities, budget, interaction) => {
        const lab = new FormulaLab(Object.fromEntries(sensitivities.map((s, i) => [`s${i}`, s])), interaction);
        const { masks, trials } = await find(lab, budget);
        assert.ok(lab.lossOf(masks) <= budget || masks.size === 0);
        // What it ends with was measured, all sites together, and accepted.
        const accepted = trials.filter((trial) => trial.accepted && trial.phase !== 'sensitivity').map((trial) => JSON.stringify(taps(trial.masks)));
        assert.ok(masks.size === 0 || accepted.includes(JSON.stringify(taps(masks))));
      },
    ), { numRuns: 60, seed: 7 });
  });

  it('steps back when losses are more together than alone, and says what it tried', async () => {
    const lab = new FormulaLab({ a: 1, b: 1, c: 1 }, 0.02);
    const { masks, trials } = await find(lab, 0.1);
    assert.ok(lab.lossOf(masks) <= 0.1);
    assert.ok(masks.size > 0, 'something is within the budget');
    assert.ok(trials.some(({ phase, accepted }) => phase === 'greedy' && !accepted));
    assert.ok(trials.some(({ phase, accepted }) => phase === 'refine' && accepted));
  });

  it('masks nothing where no mask is faster, and measures no loss for it', async () => {
    const lab = new FormulaLab({ a: 0.01 }, 0, 1);
    const { masks } = await find(lab, 0.5);
    assert.equal(masks.size, 0);
    assert.equal(lab.measurements, 0);
  });

  it('measures a site alone only as far as it stays within the budget', async () => {
    const { trials } = await find(new FormulaLab({ a: 10 }), 0.05);
    const alone = trials.filter(({ phase }) => phase === 'sensitivity');
    assert.deepEqual(alone.map(({ masks }) => masks.get('a')!.partial!.taps), [512, 256, 128]);
    assert.deepEqual(alone.map(({ accepted }) => accepted), [true, true, false]);
  });
});

describe('spending a budget', () => {
  const level = (loss: number, time: number): { mask: ChannelMask | undefined; loss: number; time: number } => ({ mask: { partial: { taps: Math.round(1000 * time) + 1 } }, loss, time });

  it('takes what costs nothing, then the most time for its loss', () => {
    const dense = { mask: undefined, loss: 0, time: 1 };
    const chosen = spend(new Map([['a', [dense, level(-0.01, 0.9), level(0.5, 0.1)]], ['b', [dense, level(0.1, 0.5)]]]), 0.2);
    assert.deepEqual([chosen.get('a')!.time, chosen.get('b')!.time], [0.9, 0.5]);
  });

  it('stays within the budget for any levels', () => {
    fc.assert(fc.property(
      fc.array(fc.array(fc.record({ loss: fc.double({ min: -0.1, max: 1, noNaN: true }), time: fc.double({ min: 0.01, max: 1, noNaN: true }) }), { maxLength: 6 }), { minLength: 1, maxLength: 5 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (sites, budget) => {
        const levels = new Map(sites.map((own, i) => [`s${i}`, [{ mask: undefined, loss: 0, time: 1 }, ...own.map(({ loss, time }) => level(loss, time))]]));
        const spent = [...spend(levels, budget).values()].reduce((sum, { loss }) => sum + Math.max(0, loss), 0);
        assert.ok(spent <= budget + 1e-12);
      },
    ));
  });
});
