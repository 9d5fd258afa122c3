import type { TensorInfo } from '../../formats/tensor-file';

/** Names of the two tensors of a linear layer, a convolution or a LayerNorm. */
export interface WeightAndBias { readonly weight: string; readonly bias: string }

/** Tensor names of one block. Shapes with d = dModel. */
export interface HyenaDnaLayer {
  /** Site id of the block's long convolution, `layers.<N>.mixer`. */
  readonly site: string;
  /** LayerNorm before the mixer: [d], [d]. */
  readonly norm1: WeightAndBias;
  /** [3d, d], [3d]; output channels are x0, x1, v, in this order. */
  readonly inProj: WeightAndBias;
  /** Depthwise causal cross-correlation [3d, 1, shortFilterTaps], [3d]; the last tap multiplies the current sample. */
  readonly shortFilter: WeightAndBias;
  /** [d]: skip term of the long convolution, y += filterBias * u. */
  readonly filterBias: string;
  /** [d, d], [d]. */
  readonly outProj: WeightAndBias;
  /** LayerNorm before the MLP: [d], [d]. */
  readonly norm2: WeightAndBias;
  /** [inner, d], [inner]. */
  readonly fc1: WeightAndBias;
  /** [d, inner], [d]. */
  readonly fc2: WeightAndBias;
}

/** Everything of a HyenaDNA network but its long filters: tensor names in the file, and sizes. Source: reference implementation of HyenaDNA. */
export interface HyenaDnaNetwork {
  readonly dModel: number;
  /** Width of the MLP's hidden layer. */
  readonly inner: number;
  /** Rows of the embedding and of the head: the vocabulary padded to a multiple of 8. All of them enter the softmax. */
  readonly vocabularySize: number;
  readonly shortFilterTaps: number;
  /** Longest input, in tokens, that the long filters cover. */
  readonly maxLength: number;
  /** Epsilon of norm1 and norm2. */
  readonly blockNormEps: number;
  /** Epsilon of finalNorm. */
  readonly finalNormEps: number;
  /** [vocabularySize, d]. */
  readonly embedding: string;
  readonly layers: readonly HyenaDnaLayer[];
  /** [d], [d]. */
  readonly finalNorm: WeightAndBias;
  /** [vocabularySize, d], no bias; the embedding's name when the head is tied and not stored. */
  readonly head: string;
}

/** Tensor names of the network that generates one layer's filter. */
export interface GeneratorNames {
  /** Positional features [1, maxLength, features]; absent when the file leaves buffers out. */
  readonly z?: string;
  /** Window times [1, maxLength, 1]. */
  readonly t?: string;
  /** Window decay rates [1, 1, d]. */
  readonly deltas?: string;
  /** Hidden layers in order: [width, in], [width]. */
  readonly hidden: readonly WeightAndBias[];
  /** Last layer [d, width], no bias. */
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
  /** By layer; undefined where the file holds a baked filter instead. */
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
export const PREFIXES = ['hyena.backbone.', 'model.backbone.', 'backbone.'] as const;
const HEADS = ['lm_head.weight', 'model.lm_head.weight'];

export const siteId = (layer: number): string => `layers.${layer}.mixer`;

/** Tensor that holds a site's filter in a baked export. */
export const bakedFilterName = (site: string): string => `longconv.surgeon.${site}.k`;
const BAKED = /^longconv\.surgeon\..+\.k$/;

/**
 * Finds a HyenaDNA network among tensor names. null when nothing looks like one; a layout with a non-empty `missing` or `unknown`
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
  const used = new Set<string>();
  const missing: string[] = [];
  const need = (name: string): string => {
    used.add(name);
    if (!tensors.has(name)) {
      missing.push(name);
    }
    return name;
  };
  const pair = (base: string): WeightAndBias => ({ weight: need(`${base}.weight`), bias: need(`${base}.bias`) });

  const names = [...tensors.keys()];
  const embedding = need(`${prefix}embeddings.word_embeddings.weight`);
  const layerCount = countLayers(names, prefix);
  const wrapped = wrappedModules(names, prefix);
  const inner = (module: string): string => (wrapped.has(module) ? `${module}layer.` : module);
  const layers: HyenaDnaLayer[] = [];
  const generators: (GeneratorNames | undefined)[] = [];
  for (let layer = 0; layer < layerCount; layer++) {
    const block = `${prefix}layers.${layer}.`;
    const mixer = inner(`${block}mixer.`);
    const mlp = inner(`${block}mlp.`);
    layers.push({
      site: siteId(layer),
      norm1: pair(`${block}norm1`),
      inProj: pair(`${mixer}in_proj`),
      shortFilter: pair(`${mixer}short_filter`),
      filterBias: need(`${mixer}filter_fn.bias`),
      outProj: pair(`${mixer}out_proj`),
      norm2: pair(`${block}norm2`),
      fc1: pair(`${mlp}fc1`),
      fc2: pair(`${mlp}fc2`),
    });
    const baked = bakedFilterName(siteId(layer));
    if (tensors.has(baked)) {
      used.add(baked);
      generators.push(undefined);
    } else {
      generators.push(generatorNames(`${mixer}filter_fn.`, tensors, need));
    }
  }
  const finalNorm = pair(`${prefix}ln_f`);
  const heads = HEADS.filter((name) => tensors.has(name));

  for (const generator of generators) {
    for (const name of generator ? generatorTensors(generator) : []) {
      used.add(name);
    }
  }
  heads.forEach((name) => used.add(name));
  const rest = names.filter((name) => !used.has(name));
  const inside = (name: string): boolean => name.startsWith(prefix) || BAKED.test(name);
  return {
    prefix, embedding, finalNorm, heads, layers, generators, missing,
    gradientCheckpointing: wrapped.size > 0,
    unknown: rest.filter(inside),
    ignored: rest.filter((name) => !inside(name)),
  };
}

/** Layers are numbered from 0 without gaps; a gap shows up as missing tensors of the layers in it. */
function countLayers(names: readonly string[], prefix: string): number {
  let count = 0;
  for (const name of names) {
    const index = name.startsWith(`${prefix}layers.`) ? /^(\d{1,4})\./.exec(name.slice(prefix.length + 'layers.'.length)) : null;
    if (index) {
      count = Math.max(count, Number(index[1]) + 1);
    }
  }
  return count;
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
function generatorNames(base: string, tensors: ReadonlyMap<string, TensorInfo>, need: (name: string) => string): GeneratorNames {
  const optional = (name: string): string | undefined => (tensors.has(name) ? name : undefined);
  let last = 2;
  while (tensors.has(`${base}implicit_filter.${last + 2}.weight`)) {
    last += 2;
  }
  const hidden: WeightAndBias[] = [];
  const freq: string[] = [];
  for (let index = 0; index < last; index += 2) {
    hidden.push({ weight: need(`${base}implicit_filter.${index}.weight`), bias: need(`${base}implicit_filter.${index}.bias`) });
    const alias = optional(`${base}implicit_filter.${index + 1}.freq`);
    if (alias !== undefined) {
      freq.push(alias);
    }
  }
  if (freq.length === 0) {
    need(`${base}implicit_filter.1.freq`);
  }
  return {
    z: optional(`${base}pos_emb.z`),
    t: optional(`${base}pos_emb.t`),
    deltas: optional(`${base}modulation.deltas`),
    hidden,
    output: need(`${base}implicit_filter.${last}.weight`),
    freq,
  };
}

/** Every stored tensor of a filter's generator. */
export function generatorTensors(generator: GeneratorNames): string[] {
  const buffers = [generator.z, generator.t, generator.deltas].filter((name) => name !== undefined);
  return [...buffers, ...generator.hidden.flatMap(({ weight, bias }) => [weight, bias]), ...generator.freq, generator.output];
}
