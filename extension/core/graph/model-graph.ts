import type { onnx } from 'onnx-proto';
import type { DenseType } from './dense-sessions';

/**
 * A model as an ONNX graph (opset 17) whose long convolutions are single nodes `LongConv` of domain `longconv.surgeon`.
 *
 * LongConv inputs:  u [B, H, L], k [H, K], skip [H] (optional ''), preGate [B, H, L] (optional ''), postGate [B, H, L] (optional '').
 * LongConv output:  y [B, H, L] = postGate * (conv(preGate * u, k) + skip * preGate * u).
 * LongConv attributes: `site` (string, the site id), `mode` ('causal' | 'grid' | 'circular' | 'bidirectional').
 * Each k is a graph input named filterInputName(site): the runtime feeds it to the native kernels; export makes it an initializer.
 */
export interface ModelGraph {
  readonly model: onnx.IModelProto;
  /** Name of the token input ([B, L] int64) or of the float input. */
  readonly input: {
    readonly name: string;
    readonly kind: 'tokens' | 'float';
    /** Axis of the samples; 1 where absent. */
    readonly lengthAxis?: number;
  };
  /** Further token inputs [B, L], which are 0 everywhere where a run gives none, e.g. token_type_ids. */
  readonly extraInputs?: readonly string[];
  /** Name of the output: logits [B, L, V], [B, V] for classifiers. */
  readonly output: string;
  /** Everything a run must feed, in the graph's order, where that is more or other than `input` as it is described there. */
  readonly feeds?: readonly GraphFeed[];
  /** Longest input of each site's convolution, by site id, where it is not the model's own longest input. */
  readonly siteLengths?: ReadonlyMap<string, number>;
  /**
   * Weights that do not fit into memory together, by name: inputs of the graph, which a run reads from disk before the piece that needs them,
   * and forgets after it. Absent: all weights are initializers.
   */
  readonly stored?: ReadonlyMap<string, StoredWeight>;
  /** Values at which a piece ends although no convolution follows: the results of layers, so that a piece has the weights of one layer. */
  readonly cuts?: readonly string[];
}

/** A float32 weight on disk. */
export interface StoredWeight {
  readonly dims: readonly number[];
  read(): Promise<Float32Array>;
}

/** An input of a graph. Dimensions that are open are 'batch' or 'length'. */
export interface GraphFeed {
  readonly name: string;
  readonly type: DenseType;
  readonly dims: readonly (number | 'batch' | 'length')[];
}

export const LONG_CONV_DOMAIN = 'longconv.surgeon';
export const LONG_CONV_OP = 'LongConv';
export const filterInputName = (site: string): string => `${site}/k`;
