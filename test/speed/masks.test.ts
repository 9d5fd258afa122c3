import * as assert from 'node:assert/strict';
import type { PreparedConvolution } from '../../extension/core/engine/engine';
import { median } from '../../extension/core/validation/statistics';
import { gridCase, longFilterCase } from '../native/support/cases';
import { engine } from '../native/support/engine';
import { combGrid, gridOf } from '../native/support/grids';
import { signals } from '../native/support/signals';

const LENGTH = 32768;
const CHANNELS = 64;
const BATCHES = 15;
/**
 * How many times as fast as the dense kernel each has to be, without what moving the signals takes, the time of a filter of one tap: it is the same for
 * all, and the memory of one machine is several times as fast as that of another.
 */
const LEAST = { comb: 2, partial: 2, lowpass: 1.3 };

describe('what masks save at L 32768, H 64, one thread', () => {
  const kinds = {
    dense: longFilterCase('causal', LENGTH, LENGTH),
    comb: gridCase('75% of the comb rows dropped', LENGTH, combGrid(2 * LENGTH, [1, 2])),
    partial: longFilterCase('causal', LENGTH, LENGTH / 64),
    moving: longFilterCase('causal', LENGTH, 1),
    lowpass: gridCase('75% of the bins dropped', LENGTH, gridOf(2 * LENGTH, (bin) => bin < LENGTH / 4)),
  };

  it('moving the signals aside, 75% of the comb rows dropped, and K = L / 64, take at most half the time of the dense kernel, a low-pass of a quarter at most 1 / 1.3 of it', async () => {
    const call = { ...signals(1, CHANNELS, LENGTH, false), threads: 1 };
    const output = new Float32Array(call.input.length);
    const names = Object.keys(kinds) as (keyof typeof kinds)[];
    const prepared = new Map<string, PreparedConvolution>();
    for (const name of names) {
      const { spec, filter } = kinds[name].make(CHANNELS);
      prepared.set(name, await engine.prepare(spec, filter()));
    }
    const ratios: Record<keyof typeof LEAST, number[]> = { comb: [], partial: [], lowpass: [] };
    for (let batch = 0; batch < BATCHES; batch++) {
      // Turn by turn, the fastest of each: what else the machine does only ever makes one slower. A batch takes half a second.
      const best = { dense: Infinity, comb: Infinity, partial: Infinity, moving: Infinity, lowpass: Infinity };
      for (let round = 0; round < 60; round++) {
        for (const name of names) {
          best[name] = Math.min(best[name], await prepared.get(name)!.run({ ...call, output }));
        }
      }
      for (const name of Object.keys(LEAST) as (keyof typeof LEAST)[]) ratios[name].push((best.dense - best.moving) / (best[name] - best.moving));
    }
    for (const one of prepared.values()) one.free();
    for (const [name, values] of Object.entries(ratios)) {
      assert.ok(median(values) >= LEAST[name as keyof typeof LEAST], `${name}: ${values.map((ratio) => ratio.toFixed(2)).join(', ')} times as fast as dense`);
    }
  });
});
