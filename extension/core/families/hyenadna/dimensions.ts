import { UserError } from '../../errors';
import type { TensorFile } from '../../formats/tensor-file';
import type { HyenaDnaConfig } from './config';
import { Shapes } from '../shared/shapes';
import type { GeneratorNames, HyenaDnaLayout } from './layout';

/** Sizes of a network, as its tensors' shapes give them. */
export interface Dimensions {
  readonly dModel: number;
  readonly inner: number;
  /** Rows of the embedding. */
  readonly vocabularySize: number;
  readonly shortFilterTaps: number;
  /** Points of the grid that the filters are sampled on; undefined when no layer's filter is generated. */
  readonly maxLength?: number;
  /** Of the filter's generator: positional features, and units of a hidden layer; 0 when no layer's filter is generated. */
  readonly features: number;
  readonly width: number;
}

/** Checks every tensor's shape and dtype against the others and against the config. Throws UserError that names the first misfit. */
export function readDimensions(file: TensorFile, layout: HyenaDnaLayout, config: HyenaDnaConfig, configPath: string): Dimensions {
  const shapes = new Shapes(file);
  const [vocabularySize, dModel] = shapes.matrix(layout.embedding, 'vocabulary, d_model');
  const [inner] = shapes.matrix(layout.layers[0].fc1.weight, 'd_inner, d_model');
  const shortFilterTaps = shapes.of(layout.layers[0].shortFilter.weight)[2] ?? 0;
  for (const layer of layout.layers) {
    shapes.pair(layer.norm1, [dModel], dModel);
    const projected = (layout.order + 1) * dModel;
    shapes.pair(layer.inProj, [projected, dModel], projected);
    shapes.pair(layer.shortFilter, [projected, 1, shortFilterTaps], projected);
    shapes.expect(layer.filterBias, [dModel * (layout.order - 1)]);
    shapes.pair(layer.outProj, [dModel, dModel], dModel);
    shapes.pair(layer.norm2, [dModel], dModel);
    shapes.pair(layer.fc1, [inner, dModel], inner);
    shapes.pair(layer.fc2, [dModel, inner], dModel);
  }
  shapes.pair(layout.finalNorm, [dModel], dModel);
  for (const head of layout.heads) {
    shapes.expect(head, [vocabularySize, dModel]);
  }
  const generators = layout.generators.filter((generator) => generator !== undefined);
  const sampled = generatorSizes(shapes, generators, dModel * (layout.order - 1), config.maxLength);
  const dimensions = { dModel, inner, vocabularySize, shortFilterTaps, ...sampled };
  checkConfig(dimensions, layout, generators, config, configPath);
  return dimensions;
}

/** `rows`: channels of all filters that a generator makes. */
export function generatorSizes(
  shapes: Shapes, generators: readonly GeneratorNames[], rows: number, configuredLength: number | undefined,
): { maxLength?: number; features: number; width: number } {
  if (generators.length === 0) {
    return { features: 0, width: 0 };
  }
  const [width, features] = shapes.matrix(generators[0].hidden[0].weight, 'filter_order, emb_dim');
  const grid = generators.flatMap(({ z, t }) => [z, t]).find((name) => name !== undefined);
  const maxLength = grid === undefined ? configuredLength : shapes.of(grid)[1];
  if (maxLength === undefined) {
    throw new UserError(`${shapes.path} has neither the grids that its filters are sampled on (pos_emb.z, pos_emb.t) nor a config.json that gives their length.`,
      'Put the config.json of the model beside it.');
  }
  for (const { z, t, deltas, hidden, freq, output } of generators) {
    shapes.optional(z, [1, maxLength, features]);
    shapes.optional(t, [1, maxLength, 1]);
    shapes.optional(deltas, [1, 1, rows]);
    hidden.forEach((layer, index) => shapes.pair(layer, [width, index === 0 ? features : width], width));
    freq.forEach((name) => shapes.expect(name, [1, width]));
    shapes.expect(output, [rows, width]);
    if (z === undefined && (features < 3 || features % 2 === 0)) {
      throw new UserError(`${shapes.path} has no pos_emb.z, and it cannot be rebuilt for emb_dim ${features}: an odd number of 3 or more is needed.`);
    }
  }
  return { maxLength, features, width };
}

function checkConfig(
  dimensions: Dimensions, layout: HyenaDnaLayout, generators: readonly GeneratorNames[], config: HyenaDnaConfig, configPath: string,
): void {
  const multiple = config.vocabularyMultiple ?? 1;
  const rows = config.vocabularySize === undefined ? undefined : Math.ceil(config.vocabularySize / multiple) * multiple;
  const [generator] = generators;
  const checks: (readonly [what: string, configured: number | undefined, stored: number | undefined])[] = [
    ['d_model', config.dModel, dimensions.dModel],
    ['n_layer', config.layers, layout.layers.length],
    ['d_inner', config.inner, dimensions.inner],
    ['the padded vocabulary', rows, dimensions.vocabularySize],
    ['short_filter_order', config.shortFilterTaps, dimensions.shortFilterTaps],
    [config.kind === 'original' ? 'l_max' : 'max_seq_len', config.maxLength, dimensions.maxLength],
    ['emb_dim', config.features, generator && dimensions.features],
    ['filter_order', config.filterWidth, generator && dimensions.width],
    ['num_inner_mlps', config.innerLayers, generator && generator.hidden.length - 1],
  ];
  for (const [what, configured, stored] of checks) {
    if (configured !== undefined && stored !== undefined && configured !== stored) {
      throw new UserError(`${configPath} and the model disagree: ${what} is ${configured} in the file, but the tensors have ${stored}.`,
        'Check that config.json belongs to this model, or move it away to open the model without it.');
    }
  }
}
