import type { TensorInfo } from '../../formats/tensor-file';
import { TensorNames, type WeightAndBias } from '../shared/tensor-names';

/** A linear layer of a kernel network: weight = g v / ||v||, one norm for each row. g [rows, 1, 1], v [rows, columns, 1], bias [rows]. */
export interface NormedLinear { readonly g: string; readonly v: string; readonly bias: string }

/** A full convolution: O x I kernels made by a sine network of the position. */
export interface CkConvolution {
  readonly site: string;
  /** [O] */
  readonly bias: string;
  /** Absent where the file holds the site's baked filter. */
  readonly network?: readonly [NormedLinear, NormedLinear, NormedLinear];
}

export interface CkBlock {
  readonly convolutions: readonly [CkConvolution, CkConvolution];
  readonly norms: readonly [WeightAndBias, WeightAndBias];
  /** [O, I, 1], [O]; absent where the block keeps its channels. */
  readonly shortcut?: WeightAndBias;
}

export interface CkLayout {
  readonly blocks: readonly CkBlock[];
  readonly head: WeightAndBias;
  /** Integer or float scalar buffers with the length that the kernels were trained on. */
  readonly trainLengths: readonly string[];
  readonly parameters: number;
  readonly missing: readonly string[];
  readonly unknown: readonly string[];
}

/** Finds a CKCNN among tensor names. null when nothing looks like one. */
export function findCkLayout(tensors: ReadonlyMap<string, TensorInfo>): CkLayout | null {
  const names = new TensorNames(tensors);
  if (![...tensors.keys()].some((name) => /^backbone\.\d+\.cconv1\./.test(name))) {
    return null;
  }
  const trainLengths: string[] = [];
  const convolution = (site: string): CkConvolution => {
    for (const buffer of ['train_length', 'conv_kernel', 'rel_positions', 'max_relative_pos', 'srf', 'sr_change']) {
      const found = names.buffer(`${site}.${buffer}`);
      if (found !== undefined && buffer === 'train_length') trainLengths.push(found);
    }
    const bias = names.need(`${site}.bias`);
    if (names.baked(site) !== undefined) return { site, bias };
    const linear = (index: number): NormedLinear => {
      const module = `${site}.Kernel.kernel_net.${index}`;
      return { g: names.need(`${module}.weight_g`), v: names.need(`${module}.weight_v`), bias: names.need(`${module}.bias`) };
    };
    return { site, bias, network: [linear(0), linear(4), linear(8)] };
  };
  const blocks = Array.from({ length: names.count('backbone.') }, (_, i): CkBlock => ({
    convolutions: [convolution(`backbone.${i}.cconv1`), convolution(`backbone.${i}.cconv2`)],
    norms: [names.pair(`backbone.${i}.norm1.layer_norm`), names.pair(`backbone.${i}.norm2.layer_norm`)],
    shortcut: names.has(`backbone.${i}.shortcut.0.weight`) ? names.pair(`backbone.${i}.shortcut.0`) : undefined,
  }));
  return { blocks, head: names.pair('finallyr'), trainLengths, parameters: names.parameterCount(), missing: names.missing, unknown: names.unknown(['']) };
}

export const networkTensors = (network: readonly NormedLinear[]): string[] => network.flatMap(({ g, v, bias }) => [g, v, bias]);
