import { UserError } from '../../errors';
import type { TensorFile } from '../../formats/tensor-file';
import type { GeneratorNames } from '../hyenadna/layout';
import { Shapes } from '../shared/shapes';
import type { M2Convolution, M2Layout } from './layout';

/** Sizes of a network, as its tensors' shapes give them. */
export interface M2Sizes {
  /** H */
  readonly width: number;
  readonly vocabularySize: number;
  /** Rows of the position embedding; undefined where there is none. */
  readonly positions?: number;
  readonly shortFilterTaps: number;
  /** I, and the number of blocks of the block-diagonal layers. */
  readonly inner: number;
  readonly blocks: number;
  /** L, taps of each direction, features and units of the filters' networks; 0 where every filter is baked. */
  readonly taps: number;
  readonly features: number;
  readonly units: number;
}

/** Checks every tensor's shape against the others. Throws UserError that names the first misfit. */
export function readSizes(file: TensorFile, layout: M2Layout): M2Sizes {
  const shapes = new Shapes(file);
  const [vocabularySize, width] = shapes.matrix(layout.words, 'vocabulary, hidden size');
  const positions = layout.positions === undefined ? undefined : shapes.matrix(layout.positions, 'positions, hidden size')[0];
  if (layout.positions !== undefined && positions !== undefined) shapes.expect(layout.positions, [positions, width]);
  shapes.expect(layout.types, [shapes.of(layout.types)[0] ?? 0, width]);
  shapes.pair(layout.norm, [width], width);
  const [first] = layout.layers;
  const shortFilterTaps = shapes.of(first.shortFilter.weight)[2] ?? 0;
  const gated = shapes.of(first.gated);
  const blocks = gated.length === 3 ? gated[0] : 1;
  const inner = (blocks * gated[gated.length - 2]) / 2;
  if (!Number.isInteger(inner) || width % blocks !== 0 || inner % blocks !== 0) {
    throw new UserError(`${shapes.path} has ${first.gated} of shape [${gated.join(', ')}], which does not split ${width} channels into blocks.`);
  }
  const blocked = (rows: number, columns: number): number[] => (gated.length === 3 ? [blocks, rows / blocks, columns / blocks] : [rows, columns]);
  for (const layer of layout.layers) {
    if (layer.firstNorm) shapes.pair(layer.firstNorm, [width], width);
    shapes.pair(layer.input, [3 * width, width], 3 * width);
    shapes.pair(layer.shortFilter, [3 * width, 1, shortFilterTaps], 3 * width);
    shapes.pair(layer.output, [width, width], width);
    shapes.expect(layer.gated, blocked(2 * inner, width));
    shapes.expect(layer.wo.weight, blocked(width, inner));
    shapes.expect(layer.wo.bias, [width]);
    shapes.pair(layer.norm, [width], width);
  }
  if (layout.head) {
    shapes.pair(layout.head.dense, [width, width], width);
    shapes.pair(layout.head.norm, [width], width);
    shapes.pair(layout.head.decoder, [vocabularySize, width], vocabularySize);
  }
  const convolutions = layout.layers.flatMap(({ main, residual }) => [main, ...(residual ? [residual] : [])]);
  return { width, vocabularySize, positions, shortFilterTaps, inner, blocks, ...filterSizes(shapes, convolutions, width) };
}

function filterSizes(shapes: Shapes, convolutions: readonly M2Convolution[], width: number): Pick<M2Sizes, 'taps' | 'features' | 'units'> {
  let found: { taps: number; features: number; units: number } | undefined;
  for (const { skip, forward, backward } of convolutions) {
    shapes.expect(skip, [width]);
    for (const names of [forward, backward]) {
      if (!names) continue;
      const [units, features] = shapes.matrix(names.hidden[0].weight, 'units, features');
      found ??= { taps: shapes.of(names.z!)[1] ?? 0, features, units };
      checkNetwork(shapes, names, width, found);
    }
  }
  return found ?? { taps: 0, features: 0, units: 0 };
}

function checkNetwork(shapes: Shapes, { z, t, deltas, hidden, freq, output }: GeneratorNames, width: number, { taps, features, units }: Pick<M2Sizes, 'taps' | 'features' | 'units'>): void {
  shapes.optional(z, [1, taps, features]);
  shapes.optional(t, [1, taps, 1]);
  shapes.optional(deltas, [1, 1, width]);
  hidden.forEach((layer, i) => shapes.pair(layer, [units, i === 0 ? features : units], units));
  freq.forEach((name) => shapes.expect(name, [1, units]));
  shapes.expect(output, [width, units]);
}
