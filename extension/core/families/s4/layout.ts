import type { TensorInfo } from '../../formats/tensor-file';
import { claimFrame, type ClassifierFrame } from '../shared/convolution-classifier';
import { bakedFilterName, TensorNames, type WeightAndBias } from '../shared/tensor-names';

/** Tensors that make the filters of a layer. H channels, c filters for each, N states in conjugate pairs, S state matrices. */
export type KernelNames =
  /** The minimal S4D: C [H, N, 2], log_dt [H], log_A_real and A_imag [H, N]. */
  | { readonly kind: 's4d'; readonly C: string; readonly logDt: string; readonly logAReal: string; readonly AImag: string }
  /** The full repository: C [c, H, N, 2], inv_dt [H, 1], A_real and A_imag [S, N], B [1, S, N, 2]; for DPLR P [rank, S, N, 2] and l_kernel. */
  | FullKernelNames;

export interface FullKernelNames {
  readonly kind: 'diag' | 'dplr';
  /** Release of the repository that named the tensors: 3 has log_dt [H], inv_w_real, w_imag (of the other sign) and L. */
  readonly release: 3 | 4;
  readonly C: string;
  readonly invDt: string;
  readonly AReal: string;
  readonly AImag: string;
  readonly B: string;
  readonly P?: string;
  /** Integer scalar: the length that C is tuned to; 0: C is not tuned. */
  readonly length?: string;
}

export interface S4Layer {
  readonly site: string;
  /** Absent where the file holds the site's baked filter. */
  readonly kernel?: KernelNames;
  readonly skip: string;
  readonly output: WeightAndBias;
}

/** Norm of a block: LayerNorm over channels, two scalars (the training code's TransposedLN), or BatchNorm. */
export type NormNames = { readonly kind: 'layer'; readonly names: WeightAndBias } | { readonly kind: 'scalar'; readonly m: string; readonly s: string }
  | { readonly kind: 'batch'; readonly names: WeightAndBias; readonly mean: string; readonly variance: string };
/** A linear layer whose weight may be stored as direction and length. */
export interface LinearNames { readonly weight?: string; readonly direction?: string; readonly length?: string; readonly bias: string }

export type SashimiBlock =
  | { readonly kind: 'down' | 'up'; readonly linear: LinearNames; readonly scope: string }
  | { readonly kind: 's4'; readonly layer: S4Layer; readonly norm: NormNames; readonly scope: string }
  | { readonly kind: 'ff'; readonly input: LinearNames; readonly output: LinearNames; readonly norm: NormNames; readonly scope: string };

export interface SashimiLayout {
  /** Absent in a backbone alone, which takes and gives floats. */
  readonly frame?: { readonly encoder: string; readonly decoder: WeightAndBias };
  /** From the highest rate to the lowest: poolings, each with other blocks before it in the variant `unet`. */
  readonly down: readonly SashimiBlock[];
  readonly centre: readonly SashimiBlock[];
  /** By tier, from the lowest rate to the highest; each begins with an up-pooling. */
  readonly up: readonly (readonly SashimiBlock[])[];
  readonly norm: WeightAndBias;
  /** Whether it is the variant with blocks on the way down, each of which has a skip connection to its counterpart on the way up. */
  readonly unet: boolean;
}

/** The training code's classifier of signals: residual blocks of one width, with a norm before each and behind all (prenorm), or behind each. */
export interface StackLayout {
  readonly encoder: WeightAndBias;
  readonly blocks: readonly SashimiBlock[];
  /** There where the norms come first. */
  readonly norm?: NormNames;
  readonly decoder: WeightAndBias;
}

export interface S4Layout {
  /** A single layer, SaShiMi, or a classifier. */
  readonly layer?: S4Layer;
  readonly sashimi?: SashimiLayout;
  readonly stack?: StackLayout;
  /** The classifier of signals of the repository's example. */
  readonly classifier?: { readonly layers: readonly S4Layer[]; readonly frame: ClassifierFrame };
  readonly parameters: number;
  readonly missing: readonly string[];
  readonly unknown: readonly string[];
}

/** Finds a single S4 or S4D layer, a SaShiMi, or a classifier of such layers. null when nothing looks like one. */
export function findS4Layout(tensors: ReadonlyMap<string, TensorInfo>): S4Layout | null {
  const names = new TensorNames(tensors);
  const all = [...tensors.keys()];
  const centre = all.map((name) => /^(model\.)?c_layers\.0\./.exec(name)).find((match) => match !== null);
  if (centre) {
    const sashimi = claimSashimi(names, all, centre[1] ?? '');
    return { sashimi, parameters: names.parameterCount(), missing: names.missing, unknown: names.unknown(['']) };
  }
  if (all.some((name) => /^s4_layers\.\d+\./.test(name))) {
    const layers = Array.from({ length: names.count('s4_layers.') }, (_, i) => {
      const site = `s4_layers.${i}`;
      const isBlock = all.some((name) => name.startsWith(`${site}.layer.`) || name.startsWith(`${site}.kernel.kernel.`));
      return isBlock ? claimLayer(names, `${site}.`, site) : claimMinimal(names, `${site}.`, site);
    });
    return { classifier: { layers, frame: claimFrame(names, layers.length) }, parameters: names.parameterCount(), missing: names.missing, unknown: names.unknown(['']) };
  }
  if (all.some((name) => /^model\.layers\.\d+\.layer\.(layer\.)?(kernel\.|D$)/.test(name)) && all.some((name) => name.startsWith('decoder.'))) {
    const stack = claimStack(names, all);
    return { stack, parameters: names.parameterCount(), missing: names.missing, unknown: names.unknown(['']) };
  }
  // Where its kernel has been replaced, D [H] tells it from other layers, whose D is [c, H].
  const minimal = (tensors.has('kernel.log_dt') && tensors.has('kernel.C')) || (tensors.get('D')?.shape.length === 1 && tensors.has(bakedFilterName('layer')));
  const full = all.some((name) => name.startsWith('layer.kernel.')) || (tensors.has('layer.D') && tensors.has('output_linear.0.weight'));
  if (!minimal && !full) {
    return null;
  }
  const layer = minimal ? claimMinimal(names, '', 'layer') : claimLayer(names, '', 'layer');
  return { layer, parameters: names.parameterCount(), missing: names.missing, unknown: names.unknown(['']) };
}

function claimMinimal(names: TensorNames, prefix: string, site: string): S4Layer {
  const part = (name: string): string => names.need(`${prefix}kernel.${name}`);
  const kernel = names.baked(site) === undefined
    ? { kind: 's4d' as const, C: part('C'), logDt: part('log_dt'), logAReal: part('log_A_real'), AImag: part('A_imag') }
    : undefined;
  return { site, kernel, skip: names.need(`${prefix}D`), output: names.pair(`${prefix}output_linear.0`) };
}

/** An S4Block: `layer.` is the convolution, beside its output layer. Before release 4 the convolution was not a module of its own. */
function claimLayer(names: TensorNames, prefix: string, site: string): S4Layer {
  const release = names.has(`${prefix}layer.D`) || !names.has(`${prefix}D`) ? 4 : 3;
  const module = release === 4 ? `${prefix}layer.` : prefix;
  const kernel = names.baked(site) === undefined ? claimKernel(names, module, release) : undefined;
  return { site, kernel, skip: names.need(`${module}D`), output: names.pair(`${prefix}output_linear.0`) };
}

function claimKernel(names: TensorNames, module: string, release: 3 | 4): FullKernelNames {
  const base = release === 4 ? `${module}kernel.` : `${module}kernel.kernel.`;
  const P = names.optional(`${base}P`);
  const common = { kind: P === undefined ? 'diag' as const : 'dplr' as const, release, C: names.need(`${base}C`), B: names.need(`${base}B`), P };
  if (release === 4) {
    return { ...common, invDt: names.need(`${base}inv_dt`), AReal: names.need(`${base}A_real`), AImag: names.need(`${base}A_imag`), length: names.buffer(`${base}l_kernel`) };
  }
  const real = names.has(`${base}log_w_real`) ? 'log_w_real' : 'inv_w_real';
  return { ...common, invDt: names.need(`${base}log_dt`), AReal: names.need(`${base}${real}`), AImag: names.need(`${base}w_imag`), length: names.buffer(`${base}L`) };
}

/**
 * `prefix`: `model.` in a whole network, empty in a backbone alone. The way up is a list of tiers in sashimi.py, and one list of blocks in unet.py,
 * which is the variant `unet`. The training code's encoder and decoder are lists of one module.
 */
function claimSashimi(names: TensorNames, all: readonly string[], prefix: string): SashimiLayout {
  const whole = prefix !== '' || all.some((name) => /^(en|de)coder\./.test(name));
  const frame = whole ? {
    encoder: names.need(names.has('encoder.0.weight') ? 'encoder.0.weight' : 'encoder.weight'),
    decoder: names.pair(names.has('decoder.0.output_transform.weight') ? 'decoder.0.output_transform' : 'decoder'),
  } : undefined;
  const list = (module: string, pool: 'down' | 'up'): SashimiBlock[] =>
    Array.from({ length: names.count(`${prefix}${module}.`) }, (_, i) => claimBlock(names, `${prefix}${module}.${i}`, pool, all));
  const [down, centre] = [list('d_layers', 'down'), list('c_layers', 'down')];
  const flat = all.some((name) => name.startsWith(`${prefix}u_layers.`) && /^\d+\.[a-z]/.test(name.slice(`${prefix}u_layers.`.length)));
  const up = flat ? tiersOf(list('u_layers', 'up'))
    : Array.from({ length: names.count(`${prefix}u_layers.`) }, (_, tier) => list(`u_layers.${tier}`, 'up'));
  return { frame, down, centre, up, norm: names.pair(`${prefix}norm`), unet: flat || down.some(({ kind }) => kind !== 'down') };
}

/** Cuts a list of blocks before each up-pooling. */
function tiersOf(blocks: readonly SashimiBlock[]): SashimiBlock[][] {
  const tiers: SashimiBlock[][] = [];
  for (const block of blocks) {
    if (block.kind === 'up' || tiers.length === 0) tiers.push([]);
    tiers[tiers.length - 1].push(block);
  }
  return tiers;
}

function claimBlock(names: TensorNames, scope: string, pool: 'down' | 'up', all: readonly string[]): SashimiBlock {
  if (all.some((name) => name.startsWith(`${scope}.linear.`))) {
    return { kind: pool, linear: claimLinear(names, `${scope}.linear`), scope };
  }
  const norm = claimNorm(names, `${scope}.norm`);
  if (all.some((name) => name.startsWith(`${scope}.layer.ff.`))) {
    return { kind: 'ff', input: claimLinear(names, `${scope}.layer.ff.0.0`), output: claimLinear(names, `${scope}.layer.ff.2`, `${scope}.layer.ff.2.0`), norm, scope };
  }
  return { kind: 's4', layer: claimLayer(names, `${scope}.layer.`, scope.replace(/^model\./, '')), norm, scope };
}

/** A norm, which the training code wraps once more. */
function claimNorm(names: TensorNames, scope: string): NormNames {
  const module = ['m', 'weight', 'running_mean'].some((part) => names.has(`${scope}.norm.${part}`)) ? `${scope}.norm` : scope;
  if (names.has(`${module}.m`)) return { kind: 'scalar', m: names.need(`${module}.m`), s: names.need(`${module}.s`) };
  if (!names.has(`${module}.running_mean`)) return { kind: 'layer', names: names.pair(module) };
  names.buffer(`${module}.num_batches_tracked`);
  return { kind: 'batch', names: names.pair(module), mean: names.need(`${module}.running_mean`), variance: names.need(`${module}.running_var`) };
}

function claimStack(names: TensorNames, all: readonly string[]): StackLayout {
  const blocks = Array.from({ length: names.count('model.layers.') }, (_, i) => claimBlock(names, `model.layers.${i}`, 'down', all));
  return {
    encoder: names.pair('encoder.0'), blocks, norm: all.some((name) => name.startsWith('model.norm.')) ? claimNorm(names, 'model.norm') : undefined,
    decoder: names.pair('decoder.0.output_transform'),
  };
}

/** `otherwise`: where the module is wrapped once more. */
function claimLinear(names: TensorNames, module: string, otherwise = module): LinearNames {
  const at = names.has(`${module}.bias`) ? module : otherwise;
  const split = names.has(`${at}.weight_v`);
  return split
    ? { direction: names.need(`${at}.weight_v`), length: names.need(`${at}.weight_g`), bias: names.need(`${at}.bias`) }
    : { weight: names.need(`${at}.weight`), bias: names.need(`${at}.bias`) };
}

/** Every stored tensor that generates a layer's filters. */
export function kernelTensors(kernel: KernelNames): string[] {
  return kernel.kind === 's4d'
    ? [kernel.C, kernel.logDt, kernel.logAReal, kernel.AImag]
    : [kernel.C, kernel.invDt, kernel.AReal, kernel.AImag, kernel.B, ...[kernel.P, kernel.length].filter((name) => name !== undefined)];
}
