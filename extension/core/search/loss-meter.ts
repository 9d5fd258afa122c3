import type { Sample } from '../data/samples';
import type { ModelRunner } from '../graph/runtime';
import type { SiteFilter } from '../plan/site-filter';
import type { Loss } from '../protocol/search';
import { logSoftmax, QualityMeter } from '../validation/metrics';
import { pickRows, scoredRows } from '../validation/quality';
import { pairedBootstrap } from '../validation/statistics';

/** Runs variants of a model over the same samples and compares their loss with the dense model's, which runs once. */
export class LossMeter {
  private constructor(
    private readonly runner: ModelRunner,
    private readonly dense: ReadonlyMap<string, SiteFilter>,
    readonly samples: readonly Sample[],
    private readonly length: number,
    private readonly vocabulary: number,
    private readonly denseMeter: QualityMeter,
  ) {}

  /**
   * @param runner the dense model, made for samples of `length`; it stays the caller's.
   * @param onSample called after each sample of the dense model with the number done.
   */
  static async create(
    runner: ModelRunner, dense: ReadonlyMap<string, SiteFilter>, samples: readonly Sample[], length: number, vocabulary: number, onSample?: (done: number) => void,
  ): Promise<LossMeter> {
    return new LossMeter(runner, dense, samples, length, vocabulary, await runOver(runner, samples, length, vocabulary, onSample));
  }

  get denseLoss(): { readonly nll: number; readonly perplexity: number } {
    const { nll, perplexity } = this.denseMeter.quality();
    return { nll, perplexity };
  }

  /** The model with these sites' filters exchanged. */
  async loss(changed: ReadonlyMap<string, SiteFilter>, onSample?: (done: number) => void): Promise<Loss> {
    const variant = await this.runner.variant(new Map([...this.dense, ...changed]));
    try {
      const meter = await runOver(variant, this.samples, this.length, this.vocabulary, onSample);
      const { nll, perplexity } = meter.quality();
      return { nll, perplexity, nllDifference: pairedBootstrap(meter.windowNll.map((value, w) => value - this.denseMeter.windowNll[w])) };
    } finally {
      await variant.dispose();
    }
  }
}

async function runOver(runner: ModelRunner, samples: readonly Sample[], length: number, vocabulary: number, onSample?: (done: number) => void): Promise<QualityMeter> {
  const meter = new QualityMeter();
  for (const [index, { input, extra, targets: all }] of samples.entries()) {
    const logits = await runner.run(input, 1, length, { extra });
    const { rows, targets } = scoredRows(all, logits.length, vocabulary);
    if (rows.length > 0) meter.add(logSoftmax(pickRows(logits, rows, vocabulary), vocabulary), targets, vocabulary);
    onSample?.(index + 1);
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
