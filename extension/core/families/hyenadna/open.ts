import { UserError } from '../../errors';
import type { TensorFile } from '../../formats/tensor-file';
import type { EmbeddedSurgery } from '../embedded-surgery';
import type { LongConvModel, ModelOption, Tokenizer } from '../model';
import { familyModel, longestModelInput } from '../shared/family-model';
import { makeSites, type SiteDraft, surgeryNotes } from '../shared/sites';
import { listedNames } from '../shared/tensor-names';
import type { HyenaDnaConfig } from './config';
import type { Dimensions } from './dimensions';
import { readDimensions } from './dimensions';
import { type FilterGenerator, generateFilter } from './filter';
import { buildHyenaDnaGraph } from './graph';
import type { HyenaDnaLayout, HyenaDnaNetwork } from './layout';
import { generatorTensors } from './layout';
import { countParameters, sameTensor } from './parameters';

/** Epsilon of the blocks' LayerNorms: the published code ignores the config's there. */
const BLOCK_NORM_EPS = 1e-5;

/** What a family says about a network of Hyena operators beside its tensors. */
export interface HyenaVariant {
  readonly family: string;
  readonly config: HyenaDnaConfig;
  readonly configPath: string;
  /** Whether the filters are multiplied by their exponential window, and what is added to it. */
  readonly modulate: boolean;
  readonly shift: number;
  readonly options: readonly ModelOption[];
  readonly tokenizer?: Tokenizer;
  readonly surgery?: EmbeddedSurgery;
  /** Notes on the options. */
  readonly notes: readonly string[];
}

/** Opens a whole network of Hyena operators. Throws UserError where tensors contradict each other or the config. */
export async function openHyenaNetwork(file: TensorFile, layout: HyenaDnaLayout, variant: HyenaVariant): Promise<LongConvModel> {
  const { config, surgery } = variant;
  const dimensions = readDimensions(file, layout, config, variant.configPath);
  await refuseDifferentCopies(file, layout, variant.family);
  const { sites, filters } = makeSites(file, surgery, layout.layers.flatMap((_, layer) => layerSites(file, layout, layer, dimensions, variant)));
  const network: HyenaDnaNetwork = {
    dModel: dimensions.dModel,
    inner: dimensions.inner,
    vocabularySize: dimensions.vocabularySize,
    shortFilterTaps: dimensions.shortFilterTaps,
    maxLength: longestModelInput(sites),
    blockNormEps: BLOCK_NORM_EPS,
    finalNormEps: config.finalNormEps,
    embedding: layout.embedding,
    layers: layout.layers,
    finalNorm: layout.finalNorm,
    head: layout.heads[0] ?? layout.embedding,
  };
  const headIsTied = network.head === network.embedding || (await sameTensor(file, network.head, network.embedding));
  return familyModel({
    family: variant.family, file, sites, filters,
    vocabularySize: network.vocabularySize, maxLength: network.maxLength, tokenizer: variant.tokenizer,
    parameters: countParameters(file, layout, network, headIsTied),
    options: variant.options,
    notes: notes(layout, variant),
    embeddedPlan: surgery?.plan,
    recausalised: surgery?.recausalised,
    localHistory: layout.layers.length * (dimensions.shortFilterTaps - 1),
    graph: () => buildHyenaDnaGraph(network, file, variant.family),
  });
}

/** Copies of one parameter must agree, or it is undecided which of them counts. */
async function refuseDifferentCopies(file: TensorFile, layout: HyenaDnaLayout, family: string): Promise<void> {
  for (const copies of [layout.heads, ...layout.generators.map((generator) => generator?.freq ?? [])]) {
    for (const copy of copies.slice(1)) {
      if (!(await sameTensor(file, copies[0], copy))) {
        throw new UserError(`${file.path} has ${copies[0]} and ${copy}, which are one parameter in a ${family} model, with different values.`);
      }
    }
  }
}

function layerSites(file: TensorFile, layout: HyenaDnaLayout, layer: number, dimensions: Dimensions, variant: HyenaVariant): SiteDraft[] {
  const { dModel, features, width, maxLength } = dimensions;
  const names = layout.generators[layer];
  const ids = layout.layers[layer].sites;
  return ids.map((id, index): SiteDraft => {
    const generator: FilterGenerator | undefined = names && {
      names, dModel, features, width, maxLength: maxLength ?? 0, modulate: variant.modulate, shift: variant.shift, outputs: { count: ids.length, index },
    };
    return {
      id, layer, channels: dModel, taps: maxLength ?? variant.config.maxLength ?? 0, storage: 'implicit', writeBack: ['baked', 'sidecar'],
      filterTensors: names && ids.length === 1 ? generatorTensors(names) : [],
      // A module that makes the filters of several sites has no one filter for the script beside exports to change.
      hyenaFilter: ids.length === 1 ? layout.layers[layer].filterBias.replace(/\.bias$/, '') : undefined,
      source: generator && ((range, engine, reuse) => generateFilter(file, generator, range, engine, reuse)),
    };
  });
}

/** What a user must know before trusting the numbers, one sentence each. */
function notes(layout: HyenaDnaLayout, { config, surgery, notes: optionNotes }: HyenaVariant): string[] {
  const found: string[] = [];
  if (config.description !== undefined) {
    found.push(config.description);
  }
  if (layout.generators.some((generator) => generator)) {
    found.push(...optionNotes);
  }
  const rebuilt = (['z', 't', 'deltas'] as const).filter((buffer) => layout.generators.some((generator) => generator && generator[buffer] === undefined));
  if (rebuilt.length > 0) {
    found.push(`The file leaves out the filters' buffers ${rebuilt.join(', ')}: they were rebuilt from the model's length and width.`);
  }
  if (layout.heads.length === 0) {
    found.push('The file has no lm_head.weight: the embedding serves as the head, as in the original models.');
  }
  if (layout.ignored.length > 0) {
    found.push(`The file has tensors that the language model does not use: ${listedNames(layout.ignored)}.`);
  }
  if (layout.order > 2 && layout.generators.some((generator) => generator)) {
    found.push('The filters of a layer are made by one network, so that a baked export keeps that network beside the changed filters.');
  }
  return [...found, ...surgeryNotes(surgery)];
}
