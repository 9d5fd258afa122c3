/** A sequence that is cut into windows on its own. */
export interface TokenRecord {
  /** FASTA header, or "row 3" of input_ids, or the file's name. */
  readonly name: string;
  readonly tokens: Int32Array;
}

/** The token sequences of a data file. */
export interface TokenData {
  readonly path: string;
  readonly kind: 'fasta' | 'text' | 'safetensors';
  readonly records: readonly TokenRecord[];
  /** One sentence each: what happened on the way from the file to tokens that a user should know. */
  readonly notes: readonly string[];
}

/** Inputs x[j..j+L) and targets x[j+1..j+L], views of the record's tokens. */
export interface TokenWindow {
  readonly record: string;
  /** j, the position of the first input in its record. */
  readonly start: number;
  readonly inputs: Int32Array;
  readonly targets: Int32Array;
}
