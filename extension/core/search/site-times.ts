import type { Engine } from '../engine/engine';
import { SiteConvolution } from '../engine/site-convolution';
import { siteLength } from '../families/site-shape';
import type { FilterPart, SiteFilter } from '../plan/site-filter';
import { compareSamples } from '../validation/speed';
import { mulberry32 } from '../validation/statistics';

/** Milliseconds that one comparison takes at most: a sweep has many. */
const BUDGET_MS = 250;

export interface TimedPair { readonly dense_ms: number; readonly masked_ms: number }

/**
 * Measured times of sites, dense against masked in one run. A time depends on the shape of the convolution and not on the values of its
 * filter, so sites of the same shape share one measurement.
 */
export class SiteTimes {
  private readonly known = new Map<string, TimedPair>();

  /** `length` of the runs, in samples of the model's input. */
  constructor(private readonly engine: Engine, private readonly length: number, private readonly threads: number) {}

  async compare(dense: SiteFilter, masked: SiteFilter): Promise<TimedPair> {
    const key = `${shapeOf(dense)} ${shapeOf(masked)}`;
    const known = this.known.get(key);
    if (known) {
      return known;
    }
    const measured = await this.measure(dense, masked);
    this.known.set(key, measured);
    return measured;
  }

  private async measure(dense: SiteFilter, masked: SiteFilter): Promise<TimedPair> {
    const { threads } = this;
    const length = siteLength(dense.site, this.length);
    const convolutions: SiteConvolution[] = [];
    try {
      for (const filter of [dense, masked]) {
        convolutions.push(await SiteConvolution.prepare(this.engine, filter, length));
      }
      const random = mulberry32(3);
      const input = Float32Array.from({ length: dense.site.channels * length }, () => 2 * random() - 1);
      const output = new Float32Array(input.length);
      const runs = convolutions.map((convolution) => async () => 1e3 * (await convolution.run({ input, output, batch: 1, length, threads })));
      const times = await compareSamples(runs, { budgetMs: BUDGET_MS });
      return { dense_ms: times[0].median_ms, masked_ms: times[1].median_ms };
    } finally {
      for (const convolution of convolutions) {
        convolution.free();
      }
    }
  }
}

const shapeOf = ({ site, parts }: SiteFilter): string => JSON.stringify([site.rate ?? 1, ...parts.map((part) => [part.channels, part.mode, part.filterLength, part.grid?.factors, runsOf(part)])]);

/** Kept bins of a grid as [first, count, ...]: short for every pattern that people draw. */
function runsOf({ grid }: FilterPart): number[] {
  const runs: number[] = [];
  grid?.kept.forEach((kept, bin) => {
    if (!kept) return;
    if (runs.length > 0 && runs[runs.length - 2] + runs[runs.length - 1] === bin) runs[runs.length - 1]++;
    else runs.push(bin, 1);
  });
  return runs;
}
