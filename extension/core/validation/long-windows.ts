import type { Sample } from '../data/samples';
import { UserError } from '../errors';
import type { LongConvModel } from '../families/model';
import { defaultRunLength } from '../families/site-shape';
import { history, slidingWindows } from '../graph/sliding-window';
import type { SiteFilter } from '../plan/site-filter';

/**
 * Windows of tokens that are longer than the model's filters, as runs of at most its trained length: each scores some tokens and sees the history
 * that a cut model's outputs depend on, so its figures are those of one run over the whole window. The dense model sees the same tokens.
 * Throws UserError where the cut model depends on more than a run holds, or a filter is not cut.
 */
export function shortenSamples(samples: readonly Sample[], model: LongConvModel, filters: ReadonlyMap<string, SiteFilter>, length: number): { samples: Sample[]; runLength: number } {
  const before = history(model, filters);
  if (before === undefined) {
    throw new UserError(
      `Windows of ${length} tokens are longer than the ${model.maxLength} that ${model.name} was made for, and it does not run as a sliding window under this plan.`,
      `Cut every site with a partial mask, or use windows of at most ${model.maxLength} tokens.`);
  }
  const runLength = defaultRunLength(model);
  const multiple = model.lengthMultiple ?? 1;
  const chunk = runLength - Math.ceil(before / multiple) * multiple;
  if (chunk < 1) {
    throw new UserError(
      `Under this plan an output depends on ${before} tokens before it, more than fit into the ${runLength} that the dense model is compared on.`,
      `Keep fewer taps: over all sites together at most ${runLength - 1}.`);
  }
  const short = samples.flatMap(({ input, targets }) => [...slidingWindows(length, { before, chunk, multiple })].map(({ from, first, end }): Sample =>
    ({ input: input.subarray(from, end), length: end - from, targets: targets.subarray(first, end) })));
  return { samples: short, runLength };
}
