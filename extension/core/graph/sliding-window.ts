import type { LongConvModel } from '../families/model';
import { longestInput } from '../plan/longest-input';
import type { SiteFilter } from '../plan/site-filter';
import type { ModelInput, RunsModel } from './runtime';

/** Samples of a chunk beside its history, where the history is shorter; else as many as the history, so that at most half of the work is done twice. */
const CHUNK = 2 ** 14;
/** Elements of the outputs of a chunk, so that large vocabularies have shorter ones. */
const CHUNK_OUTPUTS = 2 ** 26;

/** What there is to know of a model before it runs as a sliding window. */
export type SlidingModel = Pick<LongConvModel, 'localHistory' | 'sites' | 'floatInput' | 'lengthMultiple' | 'vocabularySize'>;

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

/** How an input is cut into windows. */
export interface WindowSizes {
  /** Samples before a window's own that its outputs depend on. */
  readonly before: number;
  /** Samples whose outputs are wanted. */
  readonly chunk: number;
  /** Windows begin at multiples of this. */
  readonly multiple: number;
}

/** Windows for a model whose outputs depend on `before` earlier samples (see history). Memory of a run is that of longestWindow(sizes) samples. */
export function windowSizes({ lengthMultiple: multiple = 1, vocabularySize, floatInput }: SlidingModel, before: number): WindowSizes {
  const values = floatInput ? floatInput.reduce<number>((product, dim) => product * (dim === 'length' ? 1 : dim), 1) : vocabularySize;
  const chunk = Math.max(Math.min(CHUNK, Math.ceil(CHUNK_OUTPUTS / Math.max(1, values))), before);
  return { before, chunk: Math.ceil(chunk / multiple) * multiple, multiple };
}

export const longestWindow = ({ before, chunk, multiple }: WindowSizes): number => chunk + Math.ceil(before / multiple) * multiple;

/** A piece of an input, with the samples before it that its outputs depend on. */
export interface Window {
  /** First sample of the input that the model sees. */
  readonly from: number;
  /** Samples [first, end) whose outputs are wanted. */
  readonly first: number;
  readonly end: number;
}

/** Windows that cover an input of `length` samples in order. */
export function* slidingWindows(length: number, { before, chunk, multiple }: WindowSizes): Iterable<Window> {
  for (let first = 0; first < length; first += chunk) {
    yield { from: Math.max(0, Math.floor((first - before) / multiple) * multiple), first, end: Math.min(length, first + chunk) };
  }
}

/** Samples of an array [outer, length, inner], of one input or output. */
export interface Samples<Values extends ModelInput = ModelInput> { readonly values: Values; readonly outer: number; readonly length: number }

/** The samples [from, end) of all rows. Without rows before the samples it is a view. */
export function cutSamples<Values extends ModelInput>({ values, outer, length }: Samples<Values>, from: number, end: number): Values {
  const inner = values.length / (outer * length);
  if (outer === 1) return values.subarray(from * inner, end * inner) as Values;
  const cut = new (values.constructor as new (size: number) => Values)(outer * (end - from) * inner);
  for (let row = 0; row < outer; row++) {
    (cut as Float32Array).set(values.subarray((row * length + from) * inner, (row * length + end) * inner) as Float32Array, row * (end - from) * inner);
  }
  return cut;
}

/** Outputs of the samples [first, end) of an input: `values` [...dims] with end - first samples on `axis`, the first being that of the batch, 1. */
export interface SlidingPiece { readonly first: number; readonly end: number; readonly values: Float32Array; readonly dims: readonly number[] }

/**
 * Outputs of a model on one input of any length, window by window in order; they have their samples on the same axis as the input (`axis`, behind
 * that of the batch). What lies before a window's history cannot reach its outputs, so they equal those of one run over the whole input;
 * memory is that of one window. The runner must be made for longestWindow(sizes) samples.
 */
export async function* runSliding(runner: Pick<RunsModel, 'infer'>, input: Samples, axis: number, sizes: WindowSizes): AsyncIterable<SlidingPiece> {
  for (const { from, first, end } of slidingWindows(input.length, sizes)) {
    const { data, dims } = await runner.infer(cutSamples(input, from, end), 1, end - from);
    const outer = dims.slice(0, axis).reduce((a, b) => a * b, 1);
    yield { first, end, values: cutSamples({ values: data, outer, length: end - from }, first - from, end - from), dims: dims.map((size, i) => (i === axis ? end - first : size)) };
  }
}
