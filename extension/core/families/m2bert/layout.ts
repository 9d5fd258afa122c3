import type { TensorInfo } from '../../formats/tensor-file';
import type { GeneratorNames } from '../hyenadna/layout';
import { TensorNames, type WeightAndBias } from '../shared/tensor-names';

/** One bidirectional (or causal) implicit filter with its skip term. */
export interface M2Convolution {
  readonly site: string;
  /** [H]: y += bias u. */
  readonly skip: string;
  /** Networks of the forward and of the backward filter; without the latter the convolution is causal. Absent where the filter is baked. */
  readonly forward?: GeneratorNames;
  readonly backward?: GeneratorNames;
}

/** Tensor names of one layer. Shapes with H channels, I inner units, n blocks. */
export interface M2Layer {
  /** LayerNorm before the mixer, in models with `hyena_training_additions`. */
  readonly firstNorm?: WeightAndBias;
  /** [3H, H], [3H]; output channels are x1, x2, v. */
  readonly input: WeightAndBias;
  /** [3H, 1, taps], [3H] */
  readonly shortFilter: WeightAndBias;
  readonly output: WeightAndBias;
  readonly main: M2Convolution;
  readonly residual?: M2Convolution;
  /** [n, 2I/n, H/n], or [2I, H]; no bias. */
  readonly gated: string;
  /** [n, H/n, I/n] or [H, I], and [H]. */
  readonly wo: WeightAndBias;
  readonly norm: WeightAndBias;
}

export interface M2Layout {
  /** [vocabulary, H], [positions, H], [types, H] */
  readonly words: string;
  readonly positions?: string;
  readonly types: string;
  readonly norm: WeightAndBias;
  readonly layers: readonly M2Layer[];
  /** Masked-language head; absent in encoders. decoder [vocabulary, H], [vocabulary]. */
  readonly head?: { readonly dense: WeightAndBias; readonly norm: WeightAndBias; readonly decoder: WeightAndBias };
  readonly parameters: number;
  readonly missing: readonly string[];
  readonly unknown: readonly string[];
  readonly ignored: readonly string[];
}

/** Of plain state dicts and of Composer checkpoints. */
export const PREFIXES = ['', 'model.'] as const;

/** Finds an M2-BERT among tensor names. null when nothing looks like one. */
export function findM2Layout(tensors: ReadonlyMap<string, TensorInfo>): M2Layout | null {
  const all = [...tensors.keys()];
  const prefix = PREFIXES.find((candidate) => all.some((name) => name.startsWith(`${candidate}bert.encoder.layer.`) && /\.attention\.(filter_fn|in_linear)\./.test(name)));
  if (prefix === undefined) {
    return null;
  }
  const names = new TensorNames(tensors);
  const bert = `${prefix}bert.`;
  names.buffer(`${bert}embeddings.position_ids`);
  const embeddings = `${bert}embeddings.`;
  const words = names.need(`${embeddings}word_embeddings.weight`);
  const positions = names.optional(`${embeddings}position_embeddings.weight`);
  const types = names.need(`${embeddings}token_type_embeddings.weight`);
  const norm = names.pair(`${embeddings}LayerNorm`);
  const layers = Array.from({ length: names.count(`${bert}encoder.layer.`) }, (_, i) => claimLayer(names, `${bert}encoder.layer.${i}.`, i));
  const predictions = `${prefix}cls.predictions.`;
  const head = all.some((name) => name.startsWith(predictions))
    ? { dense: names.pair(`${predictions}transform.dense`), norm: names.pair(`${predictions}transform.LayerNorm`), decoder: claimDecoder(names, predictions) }
    : undefined;
  const inside = [`${bert}encoder.`, embeddings, predictions];
  return {
    words, positions, types, norm, layers, head,
    // The decoder's weight is the embedding again.
    parameters: names.parameterCount() - (head ? elements(tensors, head.decoder.weight) : 0),
    missing: names.missing, unknown: names.unknown(inside), ignored: names.ignored(inside),
  };
}

const elements = (tensors: ReadonlyMap<string, TensorInfo>, name: string): number => (tensors.get(name)?.shape ?? []).reduce((a, b) => a * b, 1);

/** Some files keep the bias under its old name too. */
function claimDecoder(names: TensorNames, predictions: string): WeightAndBias {
  names.buffer(`${predictions}bias`);
  return names.pair(`${predictions}decoder`);
}

function claimLayer(names: TensorNames, prefix: string, index: number): M2Layer {
  const mixer = `${prefix}attention.`;
  return {
    firstNorm: names.has(`${mixer}layernorm.weight`) ? names.pair(`${mixer}layernorm`) : undefined,
    input: names.pair(`${mixer}in_linear`), shortFilter: names.pair(`${mixer}short_filter`), output: names.pair(`${mixer}out_linear`),
    main: claimConvolution(names, `${mixer}filter_fn.`, `layers.${index}.filter_fn`),
    residual: names.has(`${mixer}filter_fn2.bias`) ? claimConvolution(names, `${mixer}filter_fn2.`, `layers.${index}.filter_fn2`) : undefined,
    gated: names.need(`${prefix}mlp.gated_layers.weight`), wo: names.pair(`${prefix}mlp.wo`), norm: names.pair(`${prefix}mlp.layernorm`),
  };
}

function claimConvolution(names: TensorNames, base: string, site: string): M2Convolution {
  const skip = names.need(`${base}bias`);
  if (names.baked(site) !== undefined) {
    return { site, skip };
  }
  const buffers = { z: names.need(`${base}pos_emb.z`), t: names.buffer(`${base}pos_emb.t`), deltas: names.buffer(`${base}modulation.deltas`) };
  const backward = names.has(`${base}implicit_filter_rev.0.weight`) ? claimNetwork(names, `${base}implicit_filter_rev.`, buffers) : undefined;
  return { site, skip, forward: claimNetwork(names, `${base}implicit_filter.`, buffers), backward };
}

/** Linear, Sin, Linear, Sin, ..., Linear: even indices are linear, odd ones hold copies of one `freq`. */
function claimNetwork(names: TensorNames, base: string, buffers: Pick<GeneratorNames, 'z' | 't' | 'deltas'>): GeneratorNames {
  let last = 2;
  while (names.has(`${base}${last + 2}.weight`)) last += 2;
  const hidden: WeightAndBias[] = [];
  const freq: string[] = [];
  for (let i = 0; i < last; i += 2) {
    hidden.push(names.pair(`${base}${i}`));
    const alias = i === 0 ? names.need(`${base}1.freq`) : names.buffer(`${base}${i + 1}.freq`);
    if (alias !== undefined) freq.push(alias);
  }
  return { ...buffers, hidden, freq, output: names.need(`${base}${last}.weight`) };
}
