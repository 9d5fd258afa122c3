import type { LongConvModel } from '../families/model';
import { longestInput } from '../plan/longest-input';
import type { SiteFilter } from '../plan/site-filter';
import type { ModelInput, RunsModel } from './runtime';

/** Samples of a chunk beside its history, where the history is shorter; else as many as the history, so that at most half of the work is done twice. */
const CHUNK = 2 ** 14;

/**
 * How many samples before the current one an output of the model depends on, when it is run with these filters: the kept lags of all its
 * filters and what its other layers look back, summed over the depth. undefined where that is not limited: a filter that is not cut, one
 * that sees the future, or a model whose other layers look at everything.
 */
export function history(model: Pick<LongConvModel, 'localHistory' | 'sites'>, filters: ReadonlyMap<string, SiteFilter>): number | undefined {
  if (model.localHistory === undefined) return undefined;
  let samples = model.localHistory;
  for (const { id, rate = 1 } of model.sites) {
    const filter = filters.get(id);
    if (!filter || longestInput(filter) !== Infinity || filter.parts.some(({ mode }) => mode !== 'causal')) return undefined;
    samples += Math.ceil((Math.max(...filter.parts.map(({ filterLength }) => filterLength)) - 1) / rate);
  }
  return samples;
}

export const chunkLength = (samples: number): number => Math.max(CHUNK, samples);

/** A piece of an input, with the samples before it that its outputs depend on. */
export interface Window {
  /** First sample of the input that the model sees. */
  readonly from: number;
  /** Samples [first, end) whose outputs are wanted. */
  readonly first: number;
  readonly end: number;
}

/** Windows that cover an input of `length` samples in order. */
export function* slidingWindows(length: number, samplesBefore: number, chunk: number): Iterable<Window> {
  for (let first = 0; first < length; first += chunk) {
    yield { from: Math.max(0, first - samplesBefore), first, end: Math.min(length, first + chunk) };
  }
}

/**
 * Logits of a token model on an input of any length, window by window: rows [first, end) of [length, vocabulary], in order. What lies before a
 * window's history cannot reach its outputs, so they equal those of one run over the whole input; memory is that of one window.
 * The runner must be made for chunk + samplesBefore samples.
 */
export async function* runSliding(
  runner: Pick<RunsModel, 'run'>, input: Exclude<ModelInput, Float32Array>, samplesBefore: number, chunk: number,
): AsyncIterable<{ readonly first: number; readonly end: number; readonly logits: Float32Array }> {
  for (const { from, first, end } of slidingWindows(input.length, samplesBefore, chunk)) {
    const all = await runner.run(input.subarray(from, end), 1, end - from);
    const vocabulary = all.length / (end - from);
    yield { first, end, logits: all.subarray((first - from) * vocabulary) };
  }
}
