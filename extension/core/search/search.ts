import type { ChannelMask } from '../plan/plan';
import { spend } from './greedy';
import type { Level } from './greedy';

/** What is measured: the search itself knows nothing of models. Losses are nats per token above the dense model's. */
export interface SearchLab {
  readonly sites: readonly string[];
  /** Masks to try on a site, one list for each kind, mild to strong. */
  candidates(site: string): readonly (readonly ChannelMask[])[];
  /** Of the model with these masks on its sites, the worse of the masked and the re-causalised. */
  loss(masks: ReadonlyMap<string, ChannelMask>): Promise<number>;
  /** Milliseconds of one convolution of the site, masked or (without a mask) dense. */
  time(site: string, mask: ChannelMask | undefined): Promise<number>;
}

export type Choice = ReadonlyMap<string, ChannelMask>;
export interface Trial { readonly phase: 'sensitivity' | 'greedy' | 'refine'; readonly masks: Choice; readonly loss: number; readonly speedup: number; readonly accepted: boolean }

export interface SearchOptions {
  /** Nats per token. */
  readonly budget: number;
  /** Joint measurements at most. */
  readonly tries: number;
  readonly onTrial: (trial: Trial) => void;
}

/** A mask is worth its loss only if the site gets faster by this factor at least. */
const WORTH_HAVING = 1.05;

/**
 * The fastest masks whose measured loss stays within the budget. Every site alone first, mild to strong until one site would spend the
 * budget by itself; then greedily the move that saves the most time for its loss; then, measured together, steps back while the sum is
 * too much, and single stronger steps while one fits.
 */
export class MaskSearch {
  private readonly levels = new Map<string, Level[]>();
  private denseTime = 0;
  private tries = 0;

  constructor(private readonly lab: SearchLab, private readonly options: SearchOptions) {}

  /** Measures every site alone. Call once, before `find`. */
  async measureSites(): Promise<void> {
    for (const site of this.lab.sites) {
      const dense = await this.lab.time(site, undefined);
      this.denseTime += dense;
      this.levels.set(site, [{ mask: undefined, loss: 0, time: dense }]);
    }
    for (const site of this.lab.sites) {
      for (const kind of this.lab.candidates(site)) {
        await this.measureKind(site, kind);
      }
    }
  }

  /** The best masks found for a budget, at most the one of the options. */
  async find(budget = this.options.budget): Promise<Choice> {
    const chosen = spend(this.levels, budget);
    await this.stepBack(chosen, budget);
    await this.strengthen(chosen, budget);
    return masksOf(chosen);
  }

  private async measureKind(site: string, kind: readonly ChannelMask[]): Promise<void> {
    const levels = this.levels.get(site)!;
    for (const mask of kind) {
      const time = await this.lab.time(site, mask);
      if (levels[0].time / time < WORTH_HAVING) continue;
      const masks = new Map([[site, mask]]);
      const loss = await this.lab.loss(masks);
      const accepted = loss <= this.options.budget;
      this.options.onTrial({ phase: 'sensitivity', masks, loss, speedup: this.denseTime / (this.denseTime - levels[0].time + time), accepted });
      if (!accepted) break;
      levels.push({ mask, loss, time });
    }
  }

  /** Gives up the moves that save the least time for their loss until what is left, measured together, is within the budget. */
  private async stepBack(chosen: Map<string, Level>, budget: number): Promise<void> {
    let phase: Trial['phase'] = 'greedy';
    while ([...chosen.values()].some(({ mask }) => mask)) {
      if (await this.measure(phase, chosen, budget)) return;
      phase = 'refine';
      let best: { site: string; level: Level; price: number } | undefined;
      for (const [site, level] of chosen) {
        for (const milder of this.levels.get(site)!) {
          if (milder.loss >= level.loss) continue;
          const price = (milder.time - level.time) / (level.loss - milder.loss);
          if (!best || price < best.price) best = { site, level: milder, price };
        }
      }
      if (!best) {
        // Only masks without any loss of their own are left, and together they are too much: dense is always within the budget.
        for (const site of chosen.keys()) chosen.set(site, this.levels.get(site)![0]);
        return;
      }
      chosen.set(best.site, best.level);
    }
  }

  /** Tries single stronger steps, most time saved first, until none fits or the tries are used up. */
  private async strengthen(chosen: Map<string, Level>, budget: number): Promise<void> {
    const refused = new Set<Level>();
    while (this.tries < this.options.tries) {
      const moves = [...chosen].flatMap(([site, level]) => this.levels.get(site)!
        .filter((other) => other.time < level.time && !refused.has(other)).map((other) => ({ site, level: other, saves: level.time - other.time, loss: other.loss - level.loss })));
      if (moves.length === 0) return;
      // The smallest step in loss first: a large one that fails says nothing about the small ones before it.
      const move = moves.reduce((a, b) => (b.loss < a.loss || (b.loss === a.loss && b.saves > a.saves) ? b : a));
      const tried = new Map(chosen).set(move.site, move.level);
      if (await this.measure('refine', tried, budget)) chosen.set(move.site, move.level);
      else refused.add(move.level);
    }
  }

  private async measure(phase: Trial['phase'], chosen: ReadonlyMap<string, Level>, budget: number): Promise<boolean> {
    this.tries++;
    const masks = masksOf(chosen);
    const loss = await this.lab.loss(masks);
    const time = [...chosen.values()].reduce((sum, level) => sum + level.time, 0);
    const accepted = loss <= budget;
    this.options.onTrial({ phase, masks, loss, speedup: this.denseTime / time, accepted });
    return accepted;
  }
}

function masksOf(chosen: ReadonlyMap<string, Level>): Map<string, ChannelMask> {
  return new Map([...chosen].flatMap(([site, { mask }]) => (mask ? [[site, mask] as const] : [])));
}
