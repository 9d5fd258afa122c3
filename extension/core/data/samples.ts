import type { ModelInput } from '../graph/runtime';

/** A row of logits with this target is not scored: the convention of the usual training libraries. */
export const NOT_SCORED = -100;

/** One run of a model on data: a window of tokens, or one example. */
export interface Sample {
  readonly input: ModelInput;
  /** Further inputs by name, e.g. token_type_ids. */
  readonly extra?: ReadonlyMap<string, ModelInput>;
  /** Samples of time in the input. */
  readonly length: number;
  /** Samples at the beginning of the input that only cut models see, where the dense one cannot take so many; 0 where absent. */
  readonly denseStart?: number;
  /**
   * The wanted class of each of the last rows of the logits (of all rows, unless the input begins with a history that is not scored); NOT_SCORED
   * where a row does not count. Empty for models without a metric.
   */
  readonly targets: Int32Array;
}

/** The part of a sample that the dense model sees. */
export function seenByDense(sample: Sample): Sample {
  const { input, length, denseStart = 0 } = sample;
  return denseStart === 0 ? sample : { ...sample, input: input.subarray(denseStart), length: length - denseStart, denseStart: 0 };
}

/** The samples of a data file, all of one length. */
export interface SampleSet {
  readonly path: string;
  readonly kind: 'fasta' | 'text' | 'safetensors';
  /** Records (sequences, texts or rows) in the file. */
  readonly records: number;
  /** Samples of time in an input: tokens of a window. */
  readonly length: number;
  readonly samples: readonly Sample[];
  /** Windows of `length` that the samples are pieces of; as many as the samples where absent. */
  readonly windows?: number;
  /** One sentence each: what happened on the way from the file to samples that a user should know. */
  readonly notes: readonly string[];
}
