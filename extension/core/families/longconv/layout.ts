import type { TensorInfo } from '../../formats/tensor-file';
import { claimFrame, type ClassifierFrame } from '../shared/convolution-classifier';
import { TensorNames, type WeightAndBias } from '../shared/tensor-names';

/** Tensor names of one LongConv layer. Shapes with H channels, c filters for each, T stored taps. */
export interface LongConvLayer {
  readonly site: string;
  /** [copies, H, T]; absent where the file holds the site's baked filter. */
  readonly kernel?: string;
  /** [c, H] */
  readonly skip: string;
  /** [2H or H, c*H], [2H or H]. */
  readonly output: WeightAndBias;
}

export interface LongConvLayout {
  readonly layers: readonly LongConvLayer[];
  /** The parts around the layers of the standalone classifier; absent for a single layer. */
  readonly frame?: ClassifierFrame;
  readonly parameters: number;
  readonly missing: readonly string[];
  readonly unknown: readonly string[];
}

/** Finds a single LongConv layer, or the classifier that is made of them. null when nothing looks like one. */
export function findLongConvLayout(tensors: ReadonlyMap<string, TensorInfo>): LongConvLayout | null {
  const names = new TensorNames(tensors);
  const classifier = [...tensors.keys()].some((name) => /^conv_layers\.\d+\./.test(name));
  // Beside a baked filter, D [c, H] tells it from an S4D layer, whose D is [H].
  if (!classifier && !tensors.has('kernel.kernel') && !(tensors.get('D')?.shape.length === 2 && names.baked('layer') !== undefined)) {
    return null;
  }
  const layer = (site: string, prefix: string, kernel: string): LongConvLayer => ({
    site, kernel: names.baked(site) === undefined ? names.need(prefix + kernel) : undefined,
    skip: names.need(`${prefix}D`), output: names.pair(`${prefix}output_linear.0`),
  });
  const layers = classifier
    ? Array.from({ length: names.count('conv_layers.') }, (_, i) => layer(`conv_layers.${i}`, `conv_layers.${i}.`, 'kernel'))
    : [layer('layer', '', 'kernel.kernel')];
  const frame = classifier ? claimFrame(names, layers.length) : undefined;
  return { layers, frame, parameters: names.parameterCount(), missing: names.missing, unknown: names.unknown(['']) };
}
