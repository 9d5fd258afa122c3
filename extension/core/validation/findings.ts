import type { Task } from '../families/model';
import type { MaskedQuality, Quality, SiteReport } from './report';

/** Above this share of energy at negative lags the masked model visibly uses the future. */
const LEAK_WORTH_SAYING = 1e-3;
const percent = (value: number): string => `${(100 * value).toPrecision(3)}%`;

export interface Measured {
  readonly sites: readonly SiteReport[];
  readonly task: Task;
  readonly dense?: Quality;
  readonly masked?: MaskedQuality;
  readonly recausalised?: MaskedQuality;
}

/** Plain-language findings of a validation: what the user should know before believing the figures. */
export function findings({ sites, task, dense, masked, recausalised }: Measured): string[] {
  const out: string[] = [];
  const leaking = sites.filter((site) => site.leak > LEAK_WORTH_SAYING);
  if (leaking.length) {
    const worst = leaking.reduce((a, b) => (b.leak > a.leak ? b : a));
    out.push(`${leaking.length} of ${sites.length} masked sites see the future: up to ${percent(worst.leak)} of the masked filter’s energy (${worst.site}) is at negative lags. Judge the model by its re-causalised figures.`);
  }
  const twoSided = sites.filter(({ direction }) => direction !== undefined && direction !== 'causal');
  if (twoSided.length) {
    out.push(`${twoSided.length} of ${sites.length} masked sites are ${twoSided[0].direction} convolutions, which see the future by design: their leak is given as 0, and re-causalising changes nothing.`);
  }
  if (dense && masked && recausalised && masked.perplexity < recausalised.perplexity && masked.nllDifference.low < recausalised.nllDifference.low && leaking.length) {
    out.push(`Perplexity rises from ${masked.perplexity.toFixed(4)} to ${recausalised.perplexity.toFixed(4)} once the negative lags are removed: that part of the masked figure was leaked future.`);
  }
  const slow = sites.filter((site) => site.measuredSpeedup < 1.05);
  if (slow.length) {
    out.push(`The mask saves no time at ${slow.length} of ${sites.length} sites (${slow.map((site) => site.site).join(', ')}) at this length: the kernels skip dropped comb rows, all above a low-pass of up to about 30% of the bins, and the end of a short partial filter.`);
  }
  const judged = recausalised ?? masked;
  if (dense && judged) out.push(task === 'classification' ? accuracyFinding(dense, judged) : perplexityFinding(dense, judged));
  return out;
}

function perplexityFinding(dense: Quality, { perplexity, nllDifference: { low, high } }: MaskedQuality): string {
  const change = percent(Math.abs(perplexity / dense.perplexity - 1));
  if (low > 0) return `Perplexity is worse by ${change}; the 95% interval of the difference excludes zero.`;
  if (high < 0) return `Perplexity is better by ${change}; the 95% interval of the difference excludes zero.`;
  return `Perplexity changes by ${change}, which this data cannot tell from no change (95% interval of the difference includes zero).`;
}

function accuracyFinding(dense: Quality, { top1, nllDifference: { mean, low, high } }: MaskedQuality): string {
  const certain = low > 0 || high < 0 ? 'excludes zero' : 'includes zero, so this data cannot tell it from no change';
  return `Accuracy goes from ${percent(dense.top1)} to ${percent(top1)} on ${dense.tokens} examples; the loss changes by ${mean.toPrecision(3)} nats, and its 95% interval ${certain}.`;
}
