import * as path from 'node:path';
import { UserError } from '../../errors';
import type { TensorFile } from '../../formats/tensor-file';
import type { EmbeddedSurgery } from '../embedded-surgery';
import { embeddedFilter, longestInput, readEmbeddedSurgery } from '../embedded-surgery';
import type { Family, LongConvModel, ModelOption, OptionOverrides, Site } from '../model';
import type { HyenaDnaConfig } from './config';
import { DEFAULT_CONFIG, readConfig } from './config';
import { readDimensions } from './dimensions';
import type { FilterGenerator } from './filter';
import type { HyenaDnaLayout, HyenaDnaNetwork } from './layout';
import { bakedFilterName, findLayout, generatorTensors, PREFIXES } from './layout';
import { HyenaDnaModel } from './model';
import { countParameters, sameTensor } from './parameters';
import { chooseShift } from './shift';

/** Epsilon of the blocks' LayerNorms: the published code ignores the config's there. */
const BLOCK_NORM_EPS = 1e-5;

/** Causal DNA language models of order-2 Hyena operators. Source: HazyResearch/hyena-dna and LongSafari/hyenadna-*-hf. */
export const HYENADNA: Family = {
  name: 'hyenadna',
  lookedFor: `HyenaDNA: ${PREFIXES.map((prefix) => `${prefix}layers.0.mixer.filter_fn.*`).join(' or ')}`,
  recognise(file) {
    const layout = findLayout(file.tensors);
    return layout === null ? null : incompleteness(layout) ?? true;
  },
  open,
};

function incompleteness(layout: HyenaDnaLayout): string | null {
  if (layout.missing.length > 0) {
    return `it lacks ${listed(layout.missing)}`;
  }
  return layout.unknown.length > 0 ? `it has ${listed(layout.unknown)}, which this model has no place for` : null;
}

function listed(names: readonly string[]): string {
  const shown = names.slice(0, 3).join(', ');
  return names.length > 3 ? `${shown} and ${names.length - 3} more` : shown;
}

async function open(file: TensorFile, rawConfig: unknown, given: OptionOverrides): Promise<LongConvModel> {
  const layout = findLayout(file.tensors);
  const incomplete = layout && incompleteness(layout);
  if (!layout || incomplete) {
    throw new UserError(`${file.path} is not a whole HyenaDNA model: ${incomplete ?? 'it has no Hyena layers'}.`);
  }
  const configPath = path.join(path.dirname(file.path), 'config.json');
  const config = rawConfig === undefined ? DEFAULT_CONFIG : readConfig(rawConfig, configPath);
  const dimensions = readDimensions(file, layout, config, configPath);
  const surgery = readEmbeddedSurgery(file);
  const shift = chooseShift({ given, embedded: surgery?.plan.model.options, config, gradientCheckpointing: layout.gradientCheckpointing });
  await refuseDifferentCopies(file, layout);

  const modelTaps = dimensions.maxLength ?? config.maxLength;
  const sites = layout.layers.map((_, layer) => describeSite(file, layout, layer, dimensions.dModel, modelTaps, surgery));
  const generators = layout.generators.map((names): FilterGenerator | undefined => names && {
    names, modulate: config.modulate, shift: Number(shift.value),
    dModel: dimensions.dModel, features: dimensions.features, width: dimensions.width, maxLength: dimensions.maxLength ?? 0,
  });
  const network: HyenaDnaNetwork = {
    dModel: dimensions.dModel,
    inner: dimensions.inner,
    vocabularySize: dimensions.vocabularySize,
    shortFilterTaps: dimensions.shortFilterTaps,
    maxLength: Math.min(...sites.map(({ taps, embedded }) => Math.min(taps, embedded ? longestInput(embedded) : Infinity))),
    blockNormEps: BLOCK_NORM_EPS,
    finalNormEps: config.finalNormEps,
    embedding: layout.embedding,
    layers: layout.layers,
    finalNorm: layout.finalNorm,
    head: layout.heads[0] ?? layout.embedding,
  };
  const headIsTied = network.head === network.embedding || (await sameTensor(file, network.head, network.embedding));
  return new HyenaDnaModel({
    file, network, sites, generators,
    parameters: countParameters(file, layout, network, headIsTied),
    options: [shift],
    notes: notes(layout, config, shift, surgery),
    embeddedPlan: surgery?.plan,
    recausalised: surgery?.recausalised,
  });
}

/** Copies of one parameter must agree, or it is undecided which of them counts. */
async function refuseDifferentCopies(file: TensorFile, layout: HyenaDnaLayout): Promise<void> {
  for (const copies of [layout.heads, ...layout.generators.map((generator) => generator?.freq ?? [])]) {
    for (const copy of copies.slice(1)) {
      if (!(await sameTensor(file, copies[0], copy))) {
        throw new UserError(`${file.path} has ${copies[0]} and ${copy}, which are one parameter in a HyenaDNA model, with different values.`);
      }
    }
  }
}

function describeSite(
  file: TensorFile, layout: HyenaDnaLayout, layer: number, channels: number, modelTaps: number | undefined, surgery: EmbeddedSurgery | undefined,
): Site {
  const { site, filterBias } = layout.layers[layer];
  const generator = layout.generators[layer];
  const common = { id: site, layer, channels, direction: 'causal', hyenaFilter: filterBias.replace(/\.bias$/, '') } as const;
  if (generator) {
    return { ...common, taps: modelTaps ?? 0, storage: 'implicit', writeBack: ['baked', 'sidecar'], filterTensors: generatorTensors(generator) };
  }
  const tensor = bakedFilterName(site);
  const { embedded, taps } = embeddedFilter(file, surgery, site, tensor, channels, modelTaps);
  return { ...common, taps, storage: 'explicit', writeBack: ['baked'], filterTensors: [tensor], embedded };
}

/** What a user must know before trusting the numbers, one sentence each. */
function notes(layout: HyenaDnaLayout, config: HyenaDnaConfig, shift: ModelOption, surgery: EmbeddedSurgery | undefined): string[] {
  const found: string[] = [];
  if (config.description !== undefined) {
    found.push(config.description);
  }
  if (layout.generators.some((generator) => generator)) {
    found.push(`The shift of the filters' window is ${shift.value} (${shift.source}); with another value the filters and all results differ.`);
  }
  const rebuilt = (['z', 't', 'deltas'] as const).filter((buffer) => layout.generators.some((generator) => generator && generator[buffer] === undefined));
  if (rebuilt.length > 0) {
    found.push(`The file leaves out the filters' buffers ${rebuilt.join(', ')}: they were rebuilt from the model's length and width.`);
  }
  if (layout.heads.length === 0) {
    found.push('The file has no lm_head.weight: the embedding serves as the head, as in the original models.');
  }
  if (layout.ignored.length > 0) {
    found.push(`The file has tensors that the language model does not use: ${listed(layout.ignored)}.`);
  }
  if (surgery) {
    const causal = surgery.recausalised ? ', re-causalised' : '';
    found.push(surgery.form === 'sidecar'
      ? `The file carries a surgery plan as a sidecar${causal}: its weights are the original ones, and runs apply the plan's masks to their filters.`
      : `The file is the result of a surgery (${surgery.form}${causal}): the filters of ${listed(surgery.plan.sites.map(({ site }) => site))} are the changed ones.`);
  }
  return found;
}
