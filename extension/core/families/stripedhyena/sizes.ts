import { UserError } from '../../errors';
import type { TensorFile } from '../../formats/tensor-file';
import { Shapes } from '../shared/shapes';
import type { StripedFilter, StripedLayout } from './layout';

/** Sizes of a network, as its tensors' shapes give them. */
export interface StripedSizes {
  readonly hidden: number;
  readonly inner: number;
  readonly vocabularySize: number;
  readonly shortFilterTaps: number;
  /** Rows of the fused query, key and value projection; undefined without attention. */
  readonly qkvRows?: number;
  readonly headDimension?: number;
  /** By block: groups, and states or taps; undefined where there is no filter to make. */
  readonly filters: readonly (FilterSize | undefined)[];
}

export interface FilterSize {
  /** Filters that are made; each serves hidden / groups channels in a row. */
  readonly groups: number;
  /** States of modal filters, taps of explicit ones. */
  readonly size: number;
}

/** Checks every tensor's shape and dtype against the others. Throws UserError that names the first misfit. */
export function readStripedSizes(file: TensorFile, layout: StripedLayout): StripedSizes {
  const shapes = new Shapes(file);
  const [vocabularySize, hidden] = shapes.matrix(layout.embedding, 'vocabulary, hidden_size');
  const [inner] = shapes.matrix(layout.blocks[0].mlp.l1, 'inner_mlp_size, hidden_size');
  let shortFilterTaps: number | undefined;
  let qkvRows: number | undefined;
  let headDimension: number | undefined;
  const filters = layout.blocks.map(({ preNorm, postNorm, mlp, mixer }) => {
    for (const norm of [preNorm, postNorm]) shapes.expect(norm, [hidden]);
    for (const name of [mlp.l1, mlp.l2]) shapes.expect(name, [inner, hidden]);
    shapes.expect(mlp.l3, [hidden, inner]);
    shapes.linear(mixer.out, [hidden, hidden]);
    if (mixer.kind === 'attention') {
      qkvRows ??= shapes.matrix(mixer.qkv.weight, 'rows, hidden_size')[0];
      shapes.linear(mixer.qkv, [qkvRows, hidden]);
      if (mixer.rotaryRates !== undefined) {
        headDimension ??= 2 * shapes.of(mixer.rotaryRates)[0];
        shapes.expect(mixer.rotaryRates, [headDimension / 2]);
      }
      return undefined;
    }
    shapes.linear(mixer.projections, [3 * hidden, hidden]);
    shortFilterTaps ??= shapes.of(mixer.shortFilter.weight)[2] ?? 0;
    shapes.expect(mixer.shortFilter.weight, [3 * hidden, 1, shortFilterTaps]);
    shapes.optional(mixer.shortFilter.bias, [3 * hidden]);
    shapes.optional(mixer.skip, [hidden]);
    return mixer.filter && filterSize(shapes, mixer.filter, hidden);
  });
  if (layout.finalNorm !== undefined) shapes.expect(layout.finalNorm, [hidden]);
  shapes.optional(layout.unembed, [vocabularySize, hidden]);
  return { hidden, inner, vocabularySize, shortFilterTaps: shortFilterTaps ?? 0, qkvRows, headDimension, filters };
}

function filterSize(shapes: Shapes, filter: StripedFilter, hidden: number): FilterSize {
  const first = filter.kind === 'modal' ? filter.poles : filter.kind === 'exponential' ? filter.logPoles : filter.h;
  const shape = shapes.of(first);
  const groups = shape[0] ?? 0;
  const size = (filter.kind === 'explicit' ? shape[2] : shape[1]) ?? 0;
  switch (filter.kind) {
    case 'modal':
      shapes.expect(filter.poles, [groups, size, 1, 2]);
      shapes.expect(filter.residues, [groups, size, 1, 2]);
      break;
    case 'exponential':
      shapes.expect(filter.logPoles, [groups, size, 1]);
      shapes.expect(filter.residues, [groups, size]);
      break;
    case 'explicit':
      shapes.expect(filter.h, [groups, 1, size]);
      break;
  }
  if (hidden % groups !== 0) {
    throw new UserError(`${shapes.path} has ${groups} filters in ${first}, which do not divide the ${hidden} channels of the model.`);
  }
  return { groups, size };
}
