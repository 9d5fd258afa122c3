import type { MaskedQuality, Quality, SiteReport, Verdict } from './report';

/** A speed-up below this is not worth having. */
const WORTH_HAVING = 1.05;

/** Dense time of the masked sites / their masked time. */
export function convolutionSpeedup(sites: readonly SiteReport[]): number {
  const sum = (pick: (site: SiteReport) => number): number => sites.reduce((total, site) => total + pick(site), 0);
  return sum((site) => site.dense.median_ms) / sum((site) => site.masked.median_ms);
}

/** The worse of the masked and the re-causalised model: a leak must not pass for quality. */
export function judgedQuality(masked: MaskedQuality, recausalised: MaskedQuality): MaskedQuality {
  return recausalised.nllDifference.mean >= masked.nllDifference.mean ? recausalised : masked;
}

/** Time and quality together in a sentence, for people who do not want to read tables. `wholeModelSpeedup`: undefined where the model was not run as a whole. */
export function verdictOf(
  sites: readonly SiteReport[], metrics: { readonly dense: Quality; readonly masked: MaskedQuality; readonly recausalised: MaskedQuality } | undefined, wholeModelSpeedup?: number,
): Verdict {
  if (sites.length === 0) return { kind: 'none', text: 'The plan masks no site: nothing is faster, and nothing is worse.' };
  const speedup = convolutionSpeedup(sites);
  const faster = speedup >= WORTH_HAVING;
  const speed = faster
    ? `The masked convolutions run ${speedup.toFixed(2)} times as fast${wholeModelSpeedup === undefined ? '' : ` (the whole model ${wholeModelSpeedup.toFixed(2)} times)`}`
    : `The masked convolutions are not faster (${speedup.toFixed(2)} times)`;
  if (!metrics) return { kind: faster ? 'costs' : 'useless', text: `${speed}; without data nothing is known of the model’s quality.` };
  const judged = judgedQuality(metrics.masked, metrics.recausalised);
  const { mean, low, high } = judged.nllDifference;
  const interval = `95% interval ${change(low)} to ${change(high)}`;
  const form = judged === metrics.recausalised && metrics.masked.perplexity !== metrics.recausalised.perplexity ? ' once re-causalised' : '';
  if (low <= 0 && high >= 0) {
    return { kind: faster ? 'pays' : 'useless', text: `${speed}; perplexity${form} does not change measurably (${change(mean)}, ${interval}).` };
  }
  const quality = `perplexity${form} is ${change(Math.abs(mean)).replace('+', '')} ${mean > 0 ? 'worse' : 'better'} (${interval})`;
  return { kind: !faster ? 'useless' : mean > 0 ? 'costs' : 'pays', text: `${speed}; ${quality}.` };
}

/** A difference in nats per token as a change of perplexity. */
function change(difference: number): string {
  const value = 100 * Math.expm1(difference);
  return `${value < 0 ? '−' : '+'}${Math.abs(value).toPrecision(2)}%`;
}
