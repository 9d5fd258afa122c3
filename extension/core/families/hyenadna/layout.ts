import type { TensorInfo } from '../../formats/tensor-file';
import type { GptBlock, GptNetwork } from '../shared/gpt-graph';
import { TensorNames, type WeightAndBias } from '../shared/tensor-names';

/** Tensor names of one block. Shapes with d = dModel, N = order of the Hyena operator. */
export interface HyenaDnaLayer extends GptBlock {
  /** Site ids of the block's N - 1 long convolutions in order of use, `layers.<N>.mixer`, or `layers.<N>.mixer.o0`, `.o1` ... for N > 2. */
  readonly sites: readonly string[];
  /** [(N + 1) d, d], [(N + 1) d]; output channels are x0, x1, ..., v, in this order. */
  readonly inProj: WeightAndBias;
  /** Depthwise causal cross-correlation [(N + 1) d, 1, shortFilterTaps]; the last tap multiplies the current sample. */
  readonly shortFilter: WeightAndBias;
  /** [d (N - 1)]: skip terms of the long convolutions, y += filterBias * u; that of channel c and convolution o lies at c (N - 1) + o. */
  readonly filterBias: string;
  /** [d, d], [d]. */
  readonly outProj: WeightAndBias;
}

/** Everything of a HyenaDNA network but its long filters: tensor names in the file, and sizes. Source: reference implementation of HyenaDNA. */
export interface HyenaDnaNetwork extends GptNetwork<HyenaDnaLayer> {
  readonly shortFilterTaps: number;
  /** Longest input, in tokens, that the long filters cover. */
  readonly maxLength: number;
}

/** Tensor names of the network that generates one layer's filter. */
export interface GeneratorNames {
  /** Positional features [1, maxLength, features]; absent when the file leaves buffers out. */
  readonly z?: string;
  /** Window times [1, maxLength, 1]. */
  readonly t?: string;
  /** Window decay rates [1, 1, d (N - 1)]. */
  readonly deltas?: string;
  /** Hidden layers in order: [width, in], [width]. */
  readonly hidden: readonly WeightAndBias[];
  /** Last layer [d (N - 1), width], no bias; row c (N - 1) + o makes channel c of convolution o. */
  readonly output: string;
  /** [1, width]; the first is the parameter, the others are copies of the same shared parameter. */
  readonly freq: readonly string[];
}

/** How tensor names of a file map to the network. */
export interface HyenaDnaLayout {
  /** One of PREFIXES. */
  readonly prefix: string;
  readonly embedding: string;
  readonly finalNorm: WeightAndBias;
  /** Stored heads; more than one when the file has copies. */
  readonly heads: readonly string[];
  readonly layers: readonly HyenaDnaLayer[];
  /** Order of the Hyena operators, as the projection's shape gives it; 2 where that is missing or malformed. */
  readonly order: number;
  /** By layer; undefined where the file holds baked filters instead. */
  readonly generators: readonly (GeneratorNames | undefined)[];
  /** Layer names carry `.layer.`, which the training code adds under gradient checkpointing. */
  readonly gradientCheckpointing: boolean;
  /** Needed tensors that the file lacks. */
  readonly missing: readonly string[];
  /** Tensors inside the network that it has no use for: they would change what it computes. */
  readonly unknown: readonly string[];
  /** Tensors outside the network, such as training counters and other heads. */
  readonly ignored: readonly string[];
}

/** Hugging Face files, original Lightning checkpoints, and state dicts without a wrapper, in this order. */
export const HUGGING_FACE_PREFIX = 'hyena.backbone.';
export const PREFIXES = [HUGGING_FACE_PREFIX, 'model.backbone.', 'backbone.'] as const;
const HEADS = ['lm_head.weight', 'model.lm_head.weight'];

/** Site ids of a layer's order - 1 long convolutions, in order of use. */
export const siteIds = (layer: number, order: number): string[] =>
  (order === 2 ? [`layers.${layer}.mixer`] : Array.from({ length: order - 1 }, (_, o) => `layers.${layer}.mixer.o${o}`));

/**
 * Finds a Hyena network among tensor names. null when nothing looks like one; a layout with a non-empty `missing` or `unknown`
 * when something does but is not whole.
 */
export function findLayout(tensors: ReadonlyMap<string, TensorInfo>): HyenaDnaLayout | null {
  const names = [...tensors.keys()];
  const prefix = PREFIXES.find((candidate) => names.some((name) => isMixerName(name, candidate)));
  if (prefix === undefined) {
    return null;
  }
  return layoutUnder(prefix, tensors);
}

/** A Hyena mixer has a `filter_fn`, which other models with the same block names (H3, attention) lack. */
function isMixerName(name: string, prefix: string): boolean {
  return name.startsWith(`${prefix}layers.`) && /^\d+\.mixer\.(layer\.)?filter_fn\./.test(name.slice(prefix.length + 'layers.'.length));
}

function layoutUnder(prefix: string, tensors: ReadonlyMap<string, TensorInfo>): HyenaDnaLayout {
  const names = new TensorNames(tensors);
  const embedding = names.need(`${prefix}embeddings.word_embeddings.weight`);
  const wrapped = wrappedModules([...tensors.keys()], prefix);
  const inner = (module: string): string => (wrapped.has(module) ? `${module}layer.` : module);
  const order = operatorOrder(names.shape(`${inner(`${prefix}layers.0.mixer.`)}in_proj.weight`));
  const layers: HyenaDnaLayer[] = [];
  const generators: (GeneratorNames | undefined)[] = [];
  for (let layer = 0; layer < names.count(`${prefix}layers.`); layer++) {
    const block = `${prefix}layers.${layer}.`;
    const mixer = inner(`${block}mixer.`);
    const mlp = inner(`${block}mlp.`);
    const sites = siteIds(layer, order);
    layers.push({
      sites,
      norm1: names.pair(`${block}norm1`),
      inProj: names.pair(`${mixer}in_proj`),
      shortFilter: names.pair(`${mixer}short_filter`),
      filterBias: names.need(`${mixer}filter_fn.bias`),
      outProj: names.pair(`${mixer}out_proj`),
      norm2: names.pair(`${block}norm2`),
      fc1: names.pair(`${mlp}fc1`),
      fc2: names.pair(`${mlp}fc2`),
    });
    const baked = sites.filter((site) => names.baked(site) !== undefined);
    // The one filter of an order-2 layer replaces its generator; several filters share theirs, which stays until all are replaced.
    const replaced = baked.length === sites.length && (order === 2 || !names.has(`${mixer}filter_fn.implicit_filter.0.weight`));
    generators.push(replaced ? undefined : generatorNames(`${mixer}filter_fn.`, names));
  }
  const finalNorm = names.pair(`${prefix}ln_f`);
  const heads = HEADS.filter((name) => names.buffer(name) !== undefined);
  return {
    prefix, embedding, finalNorm, heads, layers, order, generators,
    missing: names.missing,
    gradientCheckpointing: wrapped.size > 0,
    unknown: names.unknown([prefix]),
    ignored: names.ignored([prefix]),
  };
}

/** The projection [(order + 1) d, d] tells the order. */
function operatorOrder(shape: readonly number[] | undefined): number {
  const order = shape?.length === 2 ? shape[0] / shape[1] - 1 : NaN;
  return Number.isInteger(order) && order >= 2 ? order : 2;
}

/** Modules, with a dot at the end, whose tensors' names carry `layer.`. */
function wrappedModules(names: readonly string[], prefix: string): Set<string> {
  const modules = new Set<string>();
  for (const name of names) {
    const module = name.startsWith(prefix) ? /^layers\.\d+\.(?:mixer|mlp)\.(?=layer\.)/.exec(name.slice(prefix.length)) : null;
    if (module) {
      modules.add(prefix + module[0]);
    }
  }
  return modules;
}

/** implicit_filter is a sequence Linear, Sin, Linear, Sin, ..., Linear: even indices are linear, odd ones hold the sines' `freq`. */
export function generatorNames(base: string, names: TensorNames): GeneratorNames {
  let last = 2;
  while (names.has(`${base}implicit_filter.${last + 2}.weight`)) {
    last += 2;
  }
  const hidden: WeightAndBias[] = [];
  const freq: string[] = [];
  for (let index = 0; index < last; index += 2) {
    hidden.push(names.pair(`${base}implicit_filter.${index}`));
    const alias = names.buffer(`${base}implicit_filter.${index + 1}.freq`);
    if (alias !== undefined) {
      freq.push(alias);
    }
  }
  if (freq.length === 0) {
    names.need(`${base}implicit_filter.1.freq`);
  }
  return {
    z: names.buffer(`${base}pos_emb.z`),
    t: names.buffer(`${base}pos_emb.t`),
    deltas: names.buffer(`${base}modulation.deltas`),
    hidden,
    output: names.need(`${base}implicit_filter.${last}.weight`),
    freq,
  };
}

/** Every stored tensor of a filter's generator. */
export function generatorTensors(generator: GeneratorNames): string[] {
  const buffers = [generator.z, generator.t, generator.deltas].filter((name) => name !== undefined);
  return [...buffers, ...generator.hidden.flatMap(({ weight, bias }) => [weight, bias]), ...generator.freq, generator.output];
}
