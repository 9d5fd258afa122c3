import { timing } from './statistics';
import type { Timing } from './report';

/** Bounds of one measurement: long enough for a stable median, short enough that a user waits for it. */
const WARM_UPS = 2;
const MIN_SAMPLES = 7;
const MAX_SAMPLES = 101;
const BUDGET_MS = 1500;

export interface TimingBounds {
  /** Time after which no further round begins once there are `rounds`. */
  readonly budgetMs?: number;
  readonly warmUps?: number;
  readonly rounds?: number;
}

/** For runs that read all weights from disk: one of each, as cold as they are in use. */
export const ONCE: TimingBounds = { budgetMs: 0, warmUps: 0, rounds: 1 };

/**
 * Times alternatives against each other in one run: every round times each of them once, in turn, so that a change of the
 * machine's load falls on all alike. Warm; medians and median absolute deviations.
 */
export function compareTimes(alternatives: readonly (() => Promise<unknown>)[], bounds: TimingBounds = {}): Promise<Timing[]> {
  return compareSamples(alternatives.map((run) => async () => {
    const begin = performance.now();
    await run();
    return performance.now() - begin;
  }), bounds);
}

/** The same for alternatives that measure themselves: each gives its time in milliseconds. */
export async function compareSamples(alternatives: readonly (() => Promise<number>)[], { budgetMs = BUDGET_MS, warmUps = WARM_UPS, rounds = MIN_SAMPLES }: TimingBounds = {}): Promise<Timing[]> {
  for (let i = 0; i < warmUps; i++) for (const run of alternatives) await run();
  const samples: number[][] = alternatives.map(() => []);
  const start = performance.now();
  for (let round = 0; round < MAX_SAMPLES; round++) {
    if (round >= rounds && performance.now() - start > budgetMs) break;
    for (const [i, run] of alternatives.entries()) samples[i].push(await run());
  }
  return samples.map(timing);
}
