import type { TensorEntry } from '../formats/safetensors/write';

/** How an export differs from its source. */
export interface Changes {
  /** Tensors of the source that the export does not have. A name may come back in `added`. */
  readonly dropped: ReadonlySet<string>;
  /** Tensors of the source with new values. */
  readonly replaced: ReadonlyMap<string, TensorEntry>;
  readonly added: readonly TensorEntry[];
  readonly metadata: ReadonlyMap<string, string>;
  /** What a user must know, one sentence each. */
  readonly notes: readonly string[];
  /** Largest relative error of filters that were rounded to the type of their tensors. */
  readonly roundingError: number;
  /** Set where the export is the source, byte for byte: the SHA-256 of each of the source's files by its name, the index of a model in several files first. */
  readonly copied?: ReadonlyMap<string, string>;
}
