import type { MaskedQuality, Quality, SiteReport } from './report';

/** Above this share of energy at negative lags the masked model visibly uses the future. */
const LEAK_WORTH_SAYING = 1e-3;
const percent = (value: number): string => `${(100 * value).toPrecision(3)}%`;

/** Plain-language findings of a validation: what the user should know before believing the figures. */
export function findings(sites: readonly SiteReport[], dense?: Quality, masked?: MaskedQuality, recausalised?: MaskedQuality): string[] {
  const out: string[] = [];
  const leaking = sites.filter((site) => site.leak > LEAK_WORTH_SAYING);
  if (leaking.length) {
    const worst = leaking.reduce((a, b) => (b.leak > a.leak ? b : a));
    out.push(`${leaking.length} of ${sites.length} masked sites see the future: up to ${percent(worst.leak)} of the masked filter's energy (${worst.site}) is at negative lags. Judge the model by its re-causalised figures.`);
  }
  if (dense && masked && recausalised && masked.perplexity < recausalised.perplexity && masked.nllDifference.low < recausalised.nllDifference.low && leaking.length) {
    out.push(`Perplexity rises from ${masked.perplexity.toFixed(4)} to ${recausalised.perplexity.toFixed(4)} once the negative lags are removed: that part of the masked figure was leaked future.`);
  }
  const slow = sites.filter((site) => site.measuredSpeedup < 1.05);
  if (slow.length) {
    out.push(`The mask saves no time at ${slow.length} of ${sites.length} sites (${slow.map((site) => site.site).join(', ')}) at this length: dropped comb rows or a short partial filter would be skipped by the kernels.`);
  }
  const judged = recausalised ?? masked;
  if (dense && judged) {
    const { low, high } = judged.nllDifference;
    const change = percent(Math.abs(judged.perplexity / dense.perplexity - 1));
    if (low > 0) out.push(`Perplexity is worse by ${change}; the 95% interval of the difference excludes zero.`);
    else if (high < 0) out.push(`Perplexity is better by ${change}; the 95% interval of the difference excludes zero.`);
    else out.push(`Perplexity changes by ${change}, which this data cannot tell from no change (95% interval of the difference includes zero).`);
  }
  return out;
}
