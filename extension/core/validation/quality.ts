import type { TokenWindow } from '../data/windows';
import type { SiteEvent } from '../graph/runtime';
import { logSoftmax, QualityMeter } from './metrics';

/** Runs one variant of the model: logits [batch, length, vocabulary] for token ids [batch, length]. */
export type RunModel = (ids: Int32Array, batch: number, length: number, onSite?: (event: SiteEvent) => Promise<void>) => Promise<Float32Array>;

export interface QualityRun {
  readonly windows: readonly TokenWindow[];
  readonly length: number;
  readonly vocabulary: number;
  readonly dense: RunModel;
  readonly variants: readonly RunModel[];
  /** Sees every site's activations of the dense model. */
  readonly onDenseSite: (event: SiteEvent) => Promise<void>;
  readonly onWindow: (done: number) => void;
}

/**
 * Runs the dense model and its masked variants over the same windows. Windows go through one at a time: long windows bound the
 * memory to one, and the numbers of a window then do not depend on its neighbours.
 */
export async function measureQuality(run: QualityRun): Promise<{ dense: QualityMeter; variants: QualityMeter[] }> {
  const dense = new QualityMeter();
  const variants = run.variants.map(() => new QualityMeter());
  for (const [index, window] of run.windows.entries()) {
    const denseLog = logSoftmax(await run.dense(window.inputs, 1, run.length, run.onDenseSite), run.vocabulary);
    dense.add(denseLog, window.targets, run.vocabulary);
    for (const [v, variant] of run.variants.entries()) {
      variants[v].add(logSoftmax(await variant(window.inputs, 1, run.length), run.vocabulary), window.targets, run.vocabulary, denseLog);
    }
    run.onWindow(index + 1);
  }
  return { dense, variants };
}
