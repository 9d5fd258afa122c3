import type { TensorInfo } from '../../formats/tensor-file';
import type { GptBlock } from '../shared/gpt-graph';
import { claimGptFrame, type GptFrame } from '../shared/gpt-layout';
import { TensorNames, type WeightAndBias } from '../shared/tensor-names';
import { currentNames, type StoredNames } from './names';

/** Tensor names of one block. Shapes with d = dModel, N states, S independent state matrices. */
export type H3Layer = GptBlock & { readonly mixer: H3Mixer | AttentionMixer };

export interface AttentionMixer {
  readonly kind: 'attention';
  /** [3d, d], [3d]: all queries, then keys, then values. */
  readonly qkv: WeightAndBias;
  /** [d, d], [d]. */
  readonly out: WeightAndBias;
  /** Stored rates of a rotary embedding [dimension / 2], a buffer. */
  readonly rotaryRates?: string;
}

export interface H3Mixer {
  readonly kind: 'h3';
  /** Linear layers [d, d], [d]. */
  readonly q: WeightAndBias;
  readonly k: WeightAndBias;
  readonly v: WeightAndBias;
  readonly out: WeightAndBias;
  /** Convolution of the keys, and of keys times values. */
  readonly first: H3Convolution;
  readonly second: H3Convolution;
}

export interface H3Convolution {
  readonly site: string;
  /** [d]: skip term. */
  readonly skip: string;
  /** What makes the filter; absent where the file holds a baked one. */
  readonly filter?: ShiftNames | DiagonalNames | ExplicitNames;
}

/** K[l] = sum_n B[n] C[n + l]: B [d, N], C [1, d, N]. */
export interface ShiftNames { readonly kind: 'shift'; readonly B: string; readonly C: string }
/** Diagonal state space: C [1, d, N, 2], log_dt [d], B [S, N, 2], inv_A_real [S, N], A_imag [S, N]. */
export interface DiagonalNames { readonly kind: 'diagonal'; readonly C: string; readonly logDt: string; readonly B: string; readonly invAReal: string; readonly AImag: string }
/** Taps [1, d, L] before they are squashed. */
export interface ExplicitNames { readonly kind: 'explicit'; readonly kernel: string }

export interface H3Layout {
  readonly stored: StoredNames;
  readonly frame: GptFrame;
  readonly layers: readonly H3Layer[];
  readonly parameters: number;
  readonly missing: readonly string[];
  readonly unknown: readonly string[];
  readonly ignored: readonly string[];
}

const PREFIX = 'backbone.';
/** The skip term of the first convolution is in every H3 layer, whatever surgery did to the filters. */
const FIRST_SKIP = /^backbone\.layers\.\d+\.mixer\.(ssm_k_D|k_D)$/;

/** Finds an H3 model among tensor names; null when nothing looks like one. All names are those of `currentNames`. */
export function findH3Layout(tensors: ReadonlyMap<string, TensorInfo>): H3Layout | null {
  const stored = currentNames(tensors);
  if (![...stored.keys()].some((name) => FIRST_SKIP.test(name))) {
    return null;
  }
  const names = new TensorNames(new Map([...stored].map(([name, storedName]) => [name, tensors.get(storedName)!])));
  const frame = claimGptFrame(names, PREFIX);
  const layers = frame.blocks.map((block, layer): H3Layer => ({ ...block, mixer: claimMixer(names, layer) }));
  return { stored, frame, layers, parameters: names.parameterCount(), missing: names.missing, unknown: names.unknown([PREFIX]), ignored: names.ignored([PREFIX]) };
}

function claimMixer(names: TensorNames, layer: number): H3Mixer | AttentionMixer {
  const mixer = `${PREFIX}layers.${layer}.mixer.`;
  if (names.has(`${mixer}Wqkv.weight`)) {
    return { kind: 'attention', qkv: names.pair(`${mixer}Wqkv`), out: names.pair(`${mixer}out_proj`), rotaryRates: names.buffer(`${mixer}rotary_emb.inv_freq`) };
  }
  const explicit = names.has(`${mixer}k_D`);
  const convolution = (id: string, skip: string, filter: () => H3Convolution['filter']): H3Convolution => {
    const site = `layers.${layer}.mixer.${id}`;
    return { site, skip: names.need(`${mixer}${skip}`), filter: names.baked(site) === undefined ? filter() : undefined };
  };
  const taps = (name: string) => (): ExplicitNames => ({ kind: 'explicit', kernel: names.need(`${mixer}${name}.kernel`) });
  return {
    kind: 'h3',
    q: names.pair(`${mixer}q_proj`), k: names.pair(`${mixer}k_proj`), v: names.pair(`${mixer}v_proj`), out: names.pair(`${mixer}output_linear`),
    first: explicit ? convolution('k_kernel', 'k_D', taps('k_kernel')) : convolution('shift', 'ssm_k_D', () => ({
      kind: 'shift', B: names.need(`${mixer}ssm_k_kernel.kernel.B`), C: names.need(`${mixer}ssm_k_kernel.kernel.C`),
    })),
    second: explicit ? convolution('kernel', 'D', taps('kernel')) : convolution('diag', 'D', () => diagonalNames(names, `${mixer}kernel.kernel.`)),
  };
}

function diagonalNames(names: TensorNames, base: string): DiagonalNames {
  return {
    kind: 'diagonal', C: names.need(`${base}C`), logDt: names.need(`${base}log_dt`), B: names.need(`${base}B`),
    invAReal: names.need(`${base}inv_A_real`), AImag: names.need(`${base}A_imag`),
  };
}

/** Every tensor that makes a filter. */
export function filterTensorsOf(filter: NonNullable<H3Convolution['filter']>): string[] {
  switch (filter.kind) {
    case 'shift': return [filter.B, filter.C];
    case 'diagonal': return [filter.C, filter.logDt, filter.B, filter.invAReal, filter.AImag];
    case 'explicit': return [filter.kernel];
  }
}
