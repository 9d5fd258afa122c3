import * as path from 'node:path';
import { UserError } from '../../errors';
import type { TensorFile } from '../../formats/tensor-file';
import { readEmbeddedSurgery } from '../embedded-surgery';
import { sameTensor } from '../hyenadna/parameters';
import type { Family, LongConvModel, OptionOverrides } from '../model';
import { familyModel, longestModelInput } from '../shared/family-model';
import { onDiskNote, weightsPlace } from '../shared/memory';
import { renamedFile } from '../shared/renamed-file';
import { refuseSitesOnly } from '../sites-only';
import { makeSites, surgeryNotes } from '../shared/sites';
import { incompleteness, listedNames } from '../shared/tensor-names';
import { readSettings } from './config';
import { buildH3Graph, type H3Network } from './graph';
import { findH3Layout, type H3Layout } from './layout';
import { readSizes, type H3Sizes } from './sizes';
import { layerSites, storedValues } from './sites';

/** Epsilon of every LayerNorm. */
const NORM_EPS = 1e-5;
const ROTARY_BASE = 10000;

/**
 * Causal language models of H3 layers (a shift and a diagonal state space, or two explicit filters), some of which may be attention.
 * Source: HazyResearch/H3 (danfu09/H3-*) and HazyResearch/safari, h3_conv.py.
 */
export const H3: Family = {
  name: 'h3',
  lookedFor: 'H3: backbone.layers.0.mixer.ssm_k_D or backbone.layers.0.mixer.k_D',
  recognise(file) {
    const layout = findH3Layout(file.tensors);
    return layout && (incompleteness(layout) ?? true);
  },
  open,
};

async function open(file: TensorFile, config: unknown, given: OptionOverrides): Promise<LongConvModel> {
  const layout = findH3Layout(file.tensors);
  const incomplete = layout && incompleteness(layout);
  if (!layout || incomplete) {
    throw new UserError(`${file.path} is not a whole H3 model: ${incomplete ?? 'it has no H3 layers'}.`);
  }
  const seen = renamedFile(file, layout.stored);
  const sizes = readSizes(seen, layout);
  const surgery = readEmbeddedSurgery(file);
  const settings = readSettings(layout, config, path.join(path.dirname(file.path), 'config.json'), given, surgery?.plan.model.options, sizes.dModel);
  const multiple = settings.fields.count('pad_vocab_size_multiple') ?? 1;
  const vocabulary = settings.fields.count('vocab_size');
  settings.fields.expectStored([
    ['d_model', settings.fields.count('d_model'), sizes.dModel],
    ['n_layer', settings.fields.count('n_layer'), layout.layers.length],
    ['d_inner', settings.fields.count('d_inner'), sizes.inner],
    ['the padded vocabulary', vocabulary && Math.ceil(vocabulary / multiple) * multiple, sizes.vocabularySize],
  ]);
  const { sites, filters } = makeSites(file, surgery, layout.layers.flatMap((_, layer) => layerSites(seen, layout, layer, sizes, settings)));
  const { head = layout.frame.embedding, embedding } = layout.frame;
  const tied = head === embedding || (await sameTensor(seen, head, embedding));
  const parameters = layout.parameters + (tied ? 0 : sizes.vocabularySize * sizes.dModel);
  const place = weightsPlace(parameters, Math.max(4 * sizes.dModel ** 2 + 2 * sizes.inner * sizes.dModel, sizes.vocabularySize * sizes.dModel));
  const network: H3Network = {
    dModel: sizes.dModel, inner: sizes.inner, vocabularySize: sizes.vocabularySize, maxLength: longestModelInput(sites),
    blockNormEps: NORM_EPS, finalNormEps: NORM_EPS,
    embedding, layers: layout.layers, finalNorm: layout.frame.finalNorm, head,
    heads: settings.heads, rotary: rotary(layout, sizes, settings.rotaryDimension), onDisk: place.kind === 'disk',
  };
  return familyModel({
    family: 'h3', file, sites, filters,
    vocabularySize: sizes.vocabularySize, maxLength: network.maxLength,
    parameters,
    ...(place.kind === 'disk' && { weightsOnDisk: place.why }),
    ...(place.kind === 'nowhere' && { sitesOnly: place.why }),
    options: settings.options,
    growsWith: settings.length > 0 ? 'length' : undefined,
    notes: [
      ...settings.options.map(({ name, value, source }) => `The option ${name} is ${value} (${source}); no tensor tells it, and the results depend on it.`),
      ...(sizes.taps === undefined ? [] : [`On inputs of fewer than ${sizes.taps} tokens the taps of its explicit filters beyond the input act on later tokens, as in the original code: such runs see the future.`]),
      ...(place.kind === 'disk' ? [onDiskNote(place.why, 'length')] : []),
      ...(layout.ignored.length > 0 ? [`The file has tensors that the language model does not use: ${listedNames(layout.ignored)}.`] : []),
      ...surgeryNotes(surgery),
    ],
    embeddedPlan: surgery?.plan,
    recausalised: surgery?.recausalised,
    // The state spaces are sites themselves; attention looks at everything.
    localHistory: settings.heads === 0 ? 0 : undefined,
    async exactTensors(siteId, rows) {
      const convolution = layout.layers.flatMap(({ mixer }) => (mixer.kind === 'h3' ? [mixer.first, mixer.second] : [])).find(({ site }) => site === siteId);
      if (!convolution) throw new Error(`there is no site ${siteId}`);
      return storedValues(convolution, rows, (name) => layout.stored.get(name) ?? name, sizes, settings.lam);
    },
    graph: async () => {
      refuseSitesOnly({ path: file.path, sitesOnly: place.kind === 'nowhere' ? place.why : undefined });
      return buildH3Graph(network, seen);
    },
  });
}

/** The stored rates and config.json must agree on the rotary embedding; without both there is none. */
function rotary(layout: H3Layout, { rotaryDimension: stored }: H3Sizes, configured: number): H3Network['rotary'] {
  if (stored !== undefined && configured >= 0 && configured !== stored) {
    throw new UserError(`config.json gives a rotary embedding of ${configured} channels, but the tensors have ${stored}.`, 'Check that config.json belongs to this model.');
  }
  const dimension = stored ?? Math.max(0, configured);
  return dimension > 0 && layout.layers.some(({ mixer }) => mixer.kind === 'attention') ? { dimension, base: ROTARY_BASE, positionScale: 1 } : undefined;
}
