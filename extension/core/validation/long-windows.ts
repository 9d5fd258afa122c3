import type { Sample } from '../data/samples';
import { UserError } from '../errors';
import type { LongConvModel } from '../families/model';
import { defaultRunLength } from '../families/site-shape';
import { history, longestWindow, slidingWindows, type WindowSizes } from '../graph/sliding-window';
import type { SiteFilter } from '../plan/site-filter';

export interface ShortSamples {
  readonly samples: Sample[];
  /** Longest run of the dense model, and of the cut ones. */
  readonly runLength: number;
  readonly longestRun: number;
}

/**
 * Windows of tokens that are longer than the model's filters, as runs that each score some tokens and see the history that a cut model's
 * outputs depend on; so its figures are those of one run over the whole window. The dense model sees the same tokens, or as many of the last of
 * them as it can take. `beyond`: whether runs may be longer than the trained length, for cut models that look back further than half of it.
 * Throws UserError where a filter is not cut, or the history does not fit into a run.
 */
export function shortenSamples(
  samples: readonly Sample[], model: LongConvModel, filters: ReadonlyMap<string, SiteFilter>, length: number, beyond: boolean,
): ShortSamples {
  const before = history(model, filters);
  if (before === undefined) {
    throw new UserError(
      `Windows of ${length} tokens are longer than the ${model.maxLength} that ${model.name} was made for, and it does not run as a sliding window under this plan.`,
      `Cut every site with a partial mask, or use windows of at most ${model.maxLength} tokens.`);
  }
  const runLength = defaultRunLength(model);
  const sizes = chunks(before, runLength, model.lengthMultiple ?? 1, beyond);
  if (sizes.chunk < 1) {
    throw new UserError(
      `Under this plan an output depends on ${before} tokens before it, more than fit into the ${runLength} that the dense model is compared on.`,
      `Keep fewer taps: over all sites together at most ${runLength - 1}.`);
  }
  const short = samples.flatMap(({ input, targets }) => [...slidingWindows(length, sizes)].map(({ from, first, end }): Sample =>
    ({ input: input.subarray(from, end), length: end - from, denseStart: Math.max(0, end - from - runLength), targets: targets.subarray(first, end) })));
  return { samples: short, runLength, longestRun: Math.max(runLength, longestWindow(sizes)) };
}

/** The filters in runs that are pieces of longer inputs: what acts on short inputs alone (Site.ringOfRun) does not act in them. */
export function filtersOfPieces(filters: ReadonlyMap<string, SiteFilter>): Map<string, SiteFilter> {
  return new Map([...filters].map(([id, filter]) => [id, { ...filter, site: { ...filter.site, ringOfRun: undefined } }]));
}

/** A run's history and what it scores share the trained length; a longer history leaves half of that to be scored, if runs may be longer. */
function chunks(before: number, runLength: number, multiple: number, beyond: boolean): WindowSizes {
  const aligned = (samples: number): number => Math.floor(samples / multiple) * multiple;
  const rest = aligned(runLength - Math.ceil(before / multiple) * multiple);
  return { before, multiple, chunk: beyond ? Math.max(rest, aligned(runLength / 2), multiple) : rest };
}
