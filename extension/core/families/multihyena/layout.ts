import type { TensorInfo } from '../../formats/tensor-file';
import { type GeneratorNames, generatorNames } from '../hyenadna/layout';
import { type LinearNames, TensorNames, type WeightAndBias } from '../shared/tensor-names';

/** Tensor names of a multi-head Hyena operator of D channels, d = inner_factor D inside it in M heads: d / M filters. */
export interface MultiHyenaLayout {
  /** [3d / groups, D]. */
  readonly inProj: LinearNames;
  /** [3d, 1, taps], [3d]. */
  readonly shortFilter: WeightAndBias;
  /** [d / M]: skip term. */
  readonly bias: string;
  /** [D, d]. */
  readonly outProj: LinearNames;
  /** Absent where the file holds a baked filter. */
  readonly generator?: GeneratorNames;
  readonly parameters: number;
  readonly missing: readonly string[];
  readonly unknown: readonly string[];
}

export const MULTIHYENA_SITE = 'long_conv';

/** Finds a lone operator; null when nothing looks like one. */
export function findMultiHyenaLayout(tensors: ReadonlyMap<string, TensorInfo>): MultiHyenaLayout | null {
  if (!tensors.has('long_conv.bias')) {
    return null;
  }
  const names = new TensorNames(tensors);
  const layout = {
    inProj: names.linear('in_proj'), shortFilter: names.pair('short_filter'), bias: names.need('long_conv.bias'), outProj: names.linear('out_proj'),
    generator: names.baked(MULTIHYENA_SITE) === undefined ? generatorNames('long_conv.filter.', names) : undefined,
  };
  if (layout.generator) names.parameter(layout.generator.freq[0]);
  return { ...layout, parameters: names.parameterCount(), missing: names.missing, unknown: names.unknown(['']) };
}
