import type { MaskedQuality, Quality } from './report';
import { pairedBootstrap } from './statistics';

/** Log-probabilities of every token at every position, in float64: [positions, vocabulary]. */
export function logSoftmax(logits: Float32Array, vocabulary: number): Float64Array {
  const out = new Float64Array(logits.length);
  for (let base = 0; base < logits.length; base += vocabulary) {
    let largest = -Infinity;
    for (let v = 0; v < vocabulary; v++) largest = Math.max(largest, logits[base + v]);
    let sum = 0;
    for (let v = 0; v < vocabulary; v++) sum += Math.exp(logits[base + v] - largest);
    const logSum = largest + Math.log(sum);
    for (let v = 0; v < vocabulary; v++) out[base + v] = logits[base + v] - logSum;
  }
  return out;
}

/**
 * Collects next-token quality over windows. The softmax runs over the whole padded vocabulary and every position counts,
 * as in the published evaluations of these models.
 */
export class QualityMeter {
  /** Mean negative log-likelihood of each window, nats. */
  readonly windowNll: number[] = [];
  private nll = 0;
  private correct = 0;
  private tokens = 0;
  private kl = 0;

  /** One window: log-probabilities [targets.length, vocabulary], and the dense model's for the same window where this is not it. */
  add(logProbabilities: Float64Array, targets: Int32Array, vocabulary: number, dense?: Float64Array): void {
    let windowNll = 0;
    for (let t = 0; t < targets.length; t++) {
      const row = t * vocabulary;
      windowNll -= logProbabilities[row + targets[t]];
      let best = 0;
      for (let v = 1; v < vocabulary; v++) if (logProbabilities[row + v] > logProbabilities[row + best]) best = v;
      if (best === targets[t]) this.correct++;
      if (dense) {
        for (let v = 0; v < vocabulary; v++) this.kl += Math.exp(dense[row + v]) * (dense[row + v] - logProbabilities[row + v]);
      }
    }
    this.close(windowNll, targets.length);
  }

  /** One window whose sums over its tokens were formed elsewhere. */
  addSums(sums: { readonly nll: number; readonly correct: number; readonly divergence: number }, tokens: number): void {
    this.correct += sums.correct;
    this.kl += sums.divergence;
    this.close(sums.nll, tokens);
  }

  private close(windowNll: number, tokens: number): void {
    this.nll += windowNll;
    this.tokens += tokens;
    this.windowNll.push(windowNll / tokens);
  }

  quality(): Quality {
    const nll = this.nll / this.tokens;
    return { nll, perplexity: Math.exp(nll), bitsPerToken: nll / Math.LN2, top1: this.correct / this.tokens, tokens: this.tokens };
  }

  maskedQuality(dense: QualityMeter): MaskedQuality {
    const differences = this.windowNll.map((nll, w) => nll - dense.windowNll[w]);
    return { ...this.quality(), kl: this.kl / this.tokens, nllDifference: pairedBootstrap(differences) };
  }
}
