import * as path from 'node:path';
import { UserError } from '../../errors';
import type { TensorFile } from '../../formats/tensor-file';
import { longestInput, readEmbeddedSurgery } from '../embedded-surgery';
import { generatorTensors } from '../hyenadna/layout';
import { sameTensor } from '../hyenadna/parameters';
import type { Family, LongConvModel, OptionOverrides } from '../model';
import { ConfigFields } from '../shared/config-fields';
import { familyModel } from '../shared/family-model';
import { refuseOtherOptions } from '../shared/options';
import { makeSites, surgeryNotes, type SiteDraft } from '../shared/sites';
import { incompleteness, listedNames } from '../shared/tensor-names';
import { implicitSource } from './filter';
import { buildM2Graph } from './graph';
import { findM2Layout, PREFIXES, type M2Convolution, type M2Layout } from './layout';
import { readSizes, type M2Sizes } from './sizes';

const NORM_EPS = 1e-12;
/** [MASK] of the vocabulary that the released models share, bert-base-uncased; its rows are padded to more than this many. */
const BERT_MASK = 103, BERT_VOCABULARY = 30522;

/** Bidirectional encoders of Monarch Mixer layers. Source: HazyResearch/m2, bert. */
export const M2BERT: Family = {
  name: 'm2bert',
  lookedFor: `M2-BERT: ${PREFIXES.map((prefix) => `${prefix}bert.encoder.layer.0.attention.filter_fn.*`).join(' or ')}`,
  recognise(file) {
    const layout = findM2Layout(file.tensors);
    return layout && (incompleteness(layout) ?? true);
  },
  open,
};

async function open(file: TensorFile, config: unknown, given: OptionOverrides): Promise<LongConvModel> {
  const layout = findM2Layout(file.tensors);
  const incomplete = layout && incompleteness(layout);
  if (!layout || incomplete) {
    throw new UserError(`${file.path} is not a whole M2-BERT model: ${incomplete ?? 'it has no Monarch Mixer layers'}.`);
  }
  refuseOtherOptions('M2-BERT', given, []);
  const sizes = readSizes(file, layout);
  const fields = readFields(file, config, layout, sizes);
  await refuseDifferentCopies(file, layout);
  const surgery = readEmbeddedSurgery(file);
  const { sites, filters } = makeSites(file, surgery, layout.layers.flatMap(({ main, residual }, layer) =>
    [main, ...(residual ? [residual] : [])].map((convolution) => siteDraft(file, convolution, layer, sizes, fields.count('long_conv_l_max') ?? sizes.positions ?? 0))));
  const maxLength = Math.min(sizes.positions ?? Infinity, ...sites.map(({ taps, embedded }) => Math.min(taps, embedded ? longestInput(embedded) : Infinity)));
  const directions = new Map(sites.map(({ id, direction }) => [id, direction === 'causal' ? 'causal' as const : 'bidirectional' as const]));
  return familyModel({
    family: 'm2bert', file, sites, filters,
    vocabularySize: sizes.vocabularySize,
    task: layout.head ? 'masked-token' : 'features',
    ...(sizes.vocabularySize >= BERT_VOCABULARY && { maskToken: BERT_MASK }),
    maxLength, positions: sizes.positions,
    parameters: layout.parameters,
    options: [],
    notes: [
      ...(layout.head ? [] : ['The file has no masked-language head: the output is the last hidden states.']),
      ...(layout.ignored.length > 0 ? [`The file has tensors that the encoder does not use: ${listedNames(layout.ignored)}.`] : []),
      ...surgeryNotes(surgery),
    ],
    embeddedPlan: surgery?.plan,
    recausalised: surgery?.recausalised,
    graph: () => buildM2Graph({ layout, sizes, normEps: fields.positive('layer_norm_eps') ?? NORM_EPS, maxLength, directions }, file),
  });
}

function readFields(file: TensorFile, config: unknown, layout: M2Layout, sizes: M2Sizes): ConfigFields {
  const fields = new ConfigFields(config, path.join(path.dirname(file.path), 'config.json'));
  fields.expectFixed('M2-BERT', {
    hidden_act: 'gelu', hyena_w_mod: 1, use_glu_mlp: true, monarch_mixer_sequence_mixing: true,
    hyena_training_additions: layout.layers.some(({ firstNorm }) => firstNorm), residual_long_conv: layout.layers.some(({ residual }) => residual),
  });
  fields.expectStored([
    ['hidden_size', fields.count('hidden_size'), sizes.width],
    ['num_hidden_layers', fields.count('num_hidden_layers'), layout.layers.length],
    ['intermediate_size', fields.count('intermediate_size'), sizes.inner],
    ['long_conv_l_max', fields.count('long_conv_l_max'), sizes.taps || undefined],
    ['hyena_emb_dim', fields.count('hyena_emb_dim'), sizes.features || undefined],
    ['hyena_filter_order', fields.count('hyena_filter_order'), sizes.units || undefined],
    ['monarch_mlp_nblocks', fields.flag('use_monarch_mlp') === true ? fields.count('monarch_mlp_nblocks') : undefined, sizes.blocks],
  ]);
  return fields;
}

/** Copies of one frequency, and of the tied embedding, must agree, or it is undecided which of them counts. */
async function refuseDifferentCopies(file: TensorFile, layout: M2Layout): Promise<void> {
  const copies = layout.layers.flatMap(({ main, residual }) => [main, ...(residual ? [residual] : [])])
    .map(({ forward, backward }) => [...(forward?.freq ?? []), ...(backward?.freq ?? [])]);
  for (const [first, ...others] of copies) {
    for (const other of others) {
      if (!(await sameTensor(file, first, other))) {
        throw new UserError(`${file.path} has ${first} and ${other}, which are one parameter in an M2-BERT model, with different values.`);
      }
    }
  }
}

function siteDraft(file: TensorFile, convolution: M2Convolution, layer: number, sizes: M2Sizes, declaredTaps: number): SiteDraft {
  const { site, forward, backward } = convolution;
  const generator = {
    dModel: sizes.width, outputs: { count: 1, index: 0 }, maxLength: sizes.taps, features: sizes.features, width: sizes.units, modulate: true, shift: 0,
  };
  return {
    id: site, layer, channels: sizes.width, taps: forward ? sizes.taps : declaredTaps,
    direction: !forward || backward ? 'bidirectional' : 'causal', storage: 'implicit', writeBack: ['baked', 'sidecar'],
    filterTensors: [...new Set([forward, backward].flatMap((names) => (names ? generatorTensors(names) : [])))],
    source: implicitSource(file, convolution, generator),
  };
}
