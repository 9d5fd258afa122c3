import { NOT_SCORED, type Sample, seenByDense } from '../data/samples';
import type { SiteEvent } from '../graph/runtime';
import { logSoftmax, QualityMeter } from './metrics';

/** Runs one variant of the model on one sample; resolves to its output (logits [rows, vocabulary] where the model has a metric). */
export type RunModel = (sample: Sample, onSite?: (event: SiteEvent) => Promise<void>) => Promise<Float32Array>;

export interface QualityRun {
  readonly samples: readonly Sample[];
  /** Columns of the logits. */
  readonly vocabulary: number;
  readonly dense: RunModel;
  readonly variants: readonly RunModel[];
  /** Sees every site's activations of the dense model. */
  readonly onDenseSite: (event: SiteEvent) => Promise<void>;
  readonly onSample: (done: number) => void;
}

export interface QualityResult {
  readonly dense: QualityMeter;
  readonly variants: readonly QualityMeter[];
  /** ||y' - y|| / ||y|| of the model's whole output, over all samples, for each variant. */
  readonly outputErrors: readonly number[];
}

/**
 * Runs the dense model and its masked variants over the same samples. Samples go through one at a time: long ones bound the
 * memory to one, and the numbers of a sample then do not depend on its neighbours.
 */
export async function measureQuality(run: QualityRun): Promise<QualityResult> {
  const dense = new QualityMeter();
  const variants = run.variants.map(() => new QualityMeter());
  const errorEnergy = run.variants.map(() => 0);
  let energy = 0;
  for (const [index, sample] of run.samples.entries()) {
    const output = await run.dense(seenByDense(sample), run.onDenseSite);
    const { rows, targets } = scoredRows(sample.targets, output.length, run.vocabulary);
    const denseLog = logSoftmax(pickRows(output, rows, run.vocabulary), run.vocabulary);
    if (rows.length > 0) dense.add(denseLog, targets, run.vocabulary);
    for (const value of output) energy += value * value;
    for (const [v, variant] of run.variants.entries()) {
      const all = await variant(sample);
      // Outputs of what the dense model sees.
      const changed = all.subarray(all.length - output.length);
      if (rows.length > 0) variants[v].add(logSoftmax(pickRows(changed, rows, run.vocabulary), run.vocabulary), targets, run.vocabulary, denseLog);
      for (let i = 0; i < output.length; i++) errorEnergy[v] += (changed[i] - output[i]) ** 2;
    }
    run.onSample(index + 1);
  }
  return { dense, variants, outputErrors: errorEnergy.map((sum) => (energy > 0 ? Math.sqrt(sum / energy) : 0)) };
}

/** Rows of the output that are scored, and the class wanted of each. The targets are those of its last rows. */
export function scoredRows(targets: Int32Array, size: number, vocabulary: number): { rows: Int32Array; targets: Int32Array } {
  const first = targets.length === 0 ? 0 : size / vocabulary - targets.length;
  const scored = Int32Array.from(targets.keys()).filter((row) => targets[row] !== NOT_SCORED);
  return { rows: scored.map((row) => first + row), targets: scored.map((row) => targets[row]) };
}

/** The given rows of logits [rows, vocabulary]; the array itself where they are all of them. */
export function pickRows(logits: Float32Array, rows: Int32Array, vocabulary: number): Float32Array {
  if (rows.length * vocabulary === logits.length) return logits;
  const picked = new Float32Array(rows.length * vocabulary);
  rows.forEach((row, i) => picked.set(logits.subarray(row * vocabulary, (row + 1) * vocabulary), i * vocabulary));
  return picked;
}
