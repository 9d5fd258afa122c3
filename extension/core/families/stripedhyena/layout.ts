import type { TensorInfo } from '../../formats/tensor-file';
import { type LinearNames, TensorNames } from '../shared/tensor-names';

/** Tensor names of one block. Shapes with d = hidden size, S states, G filter groups (each serves d / G channels in a row). */
export interface StripedBlock {
  /** Root-mean-square norms before the mixer and the MLP: [d]. */
  readonly preNorm: string;
  readonly postNorm: string;
  /** Gated MLP: [inner, d], [inner, d], [d, inner]; no biases. */
  readonly mlp: { readonly l1: string; readonly l2: string; readonly l3: string };
  readonly mixer: HyenaMixer | AttentionMixer;
}

export interface HyenaMixer {
  readonly kind: 'hyena';
  readonly site: string;
  /** [3d, d]. */
  readonly projections: LinearNames;
  /** Depthwise causal cross-correlation [3d, 1, taps]; the last tap multiplies the current sample. */
  readonly shortFilter: LinearNames;
  /** [d]: skip term; absent for short explicit filters. */
  readonly skip?: string;
  /** [d, d]. */
  readonly out: LinearNames;
  /** What makes the filter; absent where the file holds a baked one. */
  readonly filter?: StripedFilter;
}

export type StripedFilter =
  /** poles, residues [G, S, 1, 2], real and imaginary parts. */
  | { readonly kind: 'modal'; readonly poles: string; readonly residues: string }
  /** log_poles [G, S, 1], residues [G, S]. */
  | { readonly kind: 'exponential'; readonly logPoles: string; readonly residues: string }
  /** h [G, 1, taps]; in cross-correlation order (last tap = current sample) where the mixer has no skip term. */
  | { readonly kind: 'explicit'; readonly h: string; readonly reversed: boolean };

export interface AttentionMixer {
  readonly kind: 'attention';
  /** [d + 2 keyHeads headDimension, d]. */
  readonly qkv: LinearNames;
  /** [d, d]. */
  readonly out: LinearNames;
  /** Stored rates of the rotary embedding [headDimension / 2], a buffer. */
  readonly rotaryRates?: string;
}

export interface StripedLayout {
  readonly prefix: string;
  /** 1: StripedHyena-7B and Evo; 2: Evo 2. */
  readonly generation: 1 | 2;
  readonly embedding: string;
  /** Absent where the model has no final norm. */
  readonly finalNorm?: string;
  /** Stored head; absent where only the embedding that it is tied to is stored. */
  readonly unembed?: string;
  readonly blocks: readonly StripedBlock[];
  /** All trained tensors but the head. */
  readonly parameters: number;
  readonly missing: readonly string[];
  readonly unknown: readonly string[];
  readonly ignored: readonly string[];
}

const PREFIXES = ['backbone.', ''];
const siteId = (block: number): string => `blocks.${block}.filter`;

/** Finds a StripedHyena model among tensor names; null when nothing looks like one. */
export function findStripedLayout(tensors: ReadonlyMap<string, TensorInfo>): StripedLayout | null {
  const prefix = PREFIXES.find((candidate) => [...tensors.keys()].some((name) => name.startsWith(`${candidate}blocks.`) && /^blocks\.\d+\.out_filter_dense\.weight$/.test(name.slice(candidate.length))));
  if (prefix === undefined) {
    return null;
  }
  const names = new TensorNames(tensors);
  const generation = generationOf([...tensors.keys()]);
  const embedding = names.need(`${prefix}embedding_layer.weight`);
  const blocks = Array.from({ length: names.count(`${prefix}blocks.`) }, (_, block) => claimBlock(names, prefix, block, generation));
  const finalNorm = names.optional(`${prefix}norm.scale`);
  const unembed = names.buffer(`${prefix}unembed.weight`);
  skipBuffers(names, [...tensors.keys()]);
  const parts = [`${prefix}blocks.`, `${prefix}norm.`, `${prefix}embedding_layer.`, `${prefix}unembed.`];
  return {
    prefix, generation, embedding, finalNorm, unembed, blocks,
    parameters: names.parameterCount(), missing: names.missing, unknown: names.unknown(parts), ignored: names.ignored(parts),
  };
}

/** By the filters' tensors; where surgery replaced them all, by the short filters' biases, which only the first generation has. */
function generationOf(names: readonly string[]): 1 | 2 {
  if (names.some((name) => name.endsWith('.filter.h') || name.endsWith('.filter.log_poles'))) {
    return 2;
  }
  return names.some((name) => name.endsWith('.filter.poles') || name.endsWith('.filter.short_filter_bias')) ? 1 : 2;
}

function claimBlock(names: TensorNames, prefix: string, block: number, generation: 1 | 2): StripedBlock {
  const base = `${prefix}blocks.${block}.`;
  return {
    preNorm: names.need(`${base}pre_norm.scale`),
    postNorm: names.need(`${base}post_norm.scale`),
    mlp: { l1: names.need(`${base}mlp.l1.weight`), l2: names.need(`${base}mlp.l2.weight`), l3: names.need(`${base}mlp.l3.weight`) },
    mixer: names.has(`${base}inner_mha_cls.Wqkv.weight`) ? claimAttention(names, `${base}inner_mha_cls.`) : claimHyena(names, base, siteId(block), generation),
  };
}

function claimAttention(names: TensorNames, base: string): AttentionMixer {
  return { kind: 'attention', qkv: names.linear(`${base}Wqkv`), out: names.linear(`${base}out_proj`), rotaryRates: names.buffer(`${base}rotary_emb.inv_freq`) };
}

function claimHyena(names: TensorNames, base: string, site: string, generation: 1 | 2): HyenaMixer {
  const skip = names.optional(`${base}filter.D`);
  const filter = names.baked(site) === undefined ? claimFilter(names, `${base}filter.`, generation, skip !== undefined) : undefined;
  if (filter?.kind !== 'explicit' && skip === undefined && names.baked(site) === undefined) {
    names.need(`${base}filter.D`);
  }
  return {
    kind: 'hyena', site, skip, filter,
    projections: names.linear(`${base}projections`),
    shortFilter: { weight: names.need(`${base}filter.short_filter_weight`), bias: names.optional(`${base}filter.short_filter_bias`) },
    out: names.linear(`${base}out_filter_dense`),
  };
}

function claimFilter(names: TensorNames, base: string, generation: 1 | 2, hasSkip: boolean): StripedFilter {
  if (generation === 1) {
    return { kind: 'modal', poles: names.need(`${base}poles`), residues: names.need(`${base}residues`) };
  }
  if (names.has(`${base}h`)) {
    return { kind: 'explicit', h: names.need(`${base}h`), reversed: !hasSkip };
  }
  return { kind: 'exponential', logPoles: names.need(`${base}log_poles`), residues: names.need(`${base}residues`) };
}

/** Time grids, and the state of low-precision training, which inference does not need. */
function skipBuffers(names: TensorNames, all: readonly string[]): void {
  for (const name of all) {
    if (name.endsWith('._extra_state') || name.endsWith('.filter.t')) {
      names.buffer(name);
    }
  }
}

/** Every tensor that makes a filter. */
export function stripedFilterTensors(filter: StripedFilter): string[] {
  switch (filter.kind) {
    case 'modal': return [filter.poles, filter.residues];
    case 'exponential': return [filter.logPoles, filter.residues];
    case 'explicit': return [filter.h];
  }
}
