import type { TokenWindow } from '../data/windows';
import type { ModelRunner } from '../graph/runtime';
import type { SiteFilter } from '../plan/site-filter';
import type { Loss } from '../protocol/search';
import { logSoftmax, QualityMeter } from '../validation/metrics';
import { pairedBootstrap } from '../validation/statistics';

/** Runs variants of a model over the same windows and compares their loss with the dense model's, which runs once. */
export class LossMeter {
  private constructor(
    private readonly runner: ModelRunner,
    private readonly dense: ReadonlyMap<string, SiteFilter>,
    readonly windows: readonly TokenWindow[],
    private readonly vocabulary: number,
    private readonly denseMeter: QualityMeter,
  ) {}

  /**
   * @param runner the dense model, made for windows of this length; it stays the caller's.
   * @param onWindow called after each window of the dense model with the number done.
   */
  static async create(
    runner: ModelRunner, dense: ReadonlyMap<string, SiteFilter>, windows: readonly TokenWindow[], vocabulary: number, onWindow?: (done: number) => void,
  ): Promise<LossMeter> {
    return new LossMeter(runner, dense, windows, vocabulary, await runOver(runner, windows, vocabulary, onWindow));
  }

  get denseLoss(): { readonly nll: number; readonly perplexity: number } {
    const { nll, perplexity } = this.denseMeter.quality();
    return { nll, perplexity };
  }

  /** The model with these sites' filters exchanged. */
  async loss(changed: ReadonlyMap<string, SiteFilter>, onWindow?: (done: number) => void): Promise<Loss> {
    const variant = await this.runner.variant(new Map([...this.dense, ...changed]));
    try {
      const meter = await runOver(variant, this.windows, this.vocabulary, onWindow);
      const { nll, perplexity } = meter.quality();
      return { nll, perplexity, nllDifference: pairedBootstrap(meter.windowNll.map((value, w) => value - this.denseMeter.windowNll[w])) };
    } finally {
      await variant.dispose();
    }
  }
}

async function runOver(runner: ModelRunner, windows: readonly TokenWindow[], vocabulary: number, onWindow?: (done: number) => void): Promise<QualityMeter> {
  const meter = new QualityMeter();
  for (const [index, { inputs, targets }] of windows.entries()) {
    meter.add(logSoftmax(await runner.run(inputs, 1, inputs.length), vocabulary), targets, vocabulary);
    onWindow?.(index + 1);
  }
  return meter;
}

/** At most `most` windows, evenly spaced over all of them; all when absent. */
export function spreadWindows<T>(windows: readonly T[], most: number | undefined): readonly T[] {
  if (most === undefined || windows.length <= most) {
    return windows;
  }
  return Array.from({ length: most }, (_, i) => windows[Math.floor(((i + 0.5) * windows.length) / most)]);
}
