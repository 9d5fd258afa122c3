import type { ChannelMask } from '../plan/plan';

/** A mask of one site with what it costs and how long the site then takes; without a mask: dense, at no loss. */
export interface Level { readonly mask: ChannelMask | undefined; readonly loss: number; readonly time: number }

/**
 * Spends a budget of loss over the sites, taking losses as if they added up: again and again the move, at any site and to any faster level,
 * that saves the most time for its loss, as long as one fits. The first level of each site is its dense one.
 */
export function spend(levels: ReadonlyMap<string, readonly Level[]>, budget: number): Map<string, Level> {
  const chosen = new Map([...levels].map(([site, [dense]]) => [site, dense] as const));
  for (;;) {
    const spent = [...chosen.values()].reduce((sum, { loss }) => sum + Math.max(0, loss), 0);
    let best: { site: string; level: Level; worth: number } | undefined;
    for (const [site, now] of chosen) {
      for (const level of levels.get(site)!) {
        const extra = Math.max(0, level.loss) - Math.max(0, now.loss);
        if (level.time >= now.time || spent + extra > budget) continue;
        const worth = extra > 0 ? (now.time - level.time) / extra : Infinity;
        if (!best || worth > best.worth || (worth === best.worth && level.time < best.level.time)) best = { site, level, worth };
      }
    }
    if (!best) return chosen;
    chosen.set(best.site, best.level);
  }
}
