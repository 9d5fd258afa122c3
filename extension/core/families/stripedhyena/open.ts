import type { TensorFile } from '../../formats/tensor-file';
import type { EmbeddedSurgery } from '../embedded-surgery';
import { sameTensor } from '../hyenadna/parameters';
import type { LongConvModel, WriteBack } from '../model';
import { byteTokenizer } from '../shared/byte-tokenizer';
import { familyModel, longestModelInput } from '../shared/family-model';
import { refuseSitesOnly } from '../sites-only';
import { onDiskNote, weightsPlace } from '../shared/memory';
import { makeSites, type SiteDraft, surgeryNotes } from '../shared/sites';
import { bakedFilterName, listedNames } from '../shared/tensor-names';
import type { StripedConfig } from './config';
import { storedTaps, stripedSource } from './filter';
import { buildStripedGraph } from './graph';
import { type HyenaMixer, stripedFilterTensors, type StripedLayout } from './layout';
import type { GraphSettings } from './settings';
import type { StripedSizes } from './sizes';

/** Opens a whole StripedHyena network of either generation. */
export async function openStriped(
  family: string, file: TensorFile, layout: StripedLayout, sizes: StripedSizes, config: StripedConfig, surgery: EmbeddedSurgery | undefined,
): Promise<LongConvModel> {
  const { sites, filters } = makeSites(file, surgery, layout.blocks.flatMap((_, block) => blockSites(file, layout, block, sizes, config)));
  const maxLength = longestModelInput(sites, config.length);
  const tied = layout.unembed === undefined || (await sameTensor(file, layout.unembed, layout.embedding));
  const parameters = layout.parameters + (tied ? 0 : sizes.vocabularySize * sizes.hidden);
  const place = weightsPlace(parameters, largestLayer(sizes));
  const sitesOnly = typeof config.graph === 'string' ? config.graph : place.kind === 'nowhere' ? place.why : undefined;
  const weightsOnDisk = sitesOnly === undefined && place.kind === 'disk' ? place.why : undefined;
  return familyModel({
    sitesOnly, weightsOnDisk, family, file, sites, filters, maxLength, parameters,
    vocabularySize: sizes.vocabularySize,
    tokenizer: config.bytes && sizes.vocabularySize >= 256 ? byteTokenizer(sizes.vocabularySize) : undefined,
    options: config.options, growsWith: 'length',
    notes: [
      ...config.options.map(({ name, value, source }) => `The option ${name} is ${value} (${source}).`),
      ...(sitesOnly !== undefined ? [`The model ${sitesOnly}: its sites can be used, but it cannot be run as a whole.`] : []),
      ...(weightsOnDisk !== undefined ? [onDiskNote(weightsOnDisk, 'length')] : []),
      ...config.notes,
      ...(layout.ignored.length > 0 ? [`The file has tensors that the language model does not use: ${listedNames(layout.ignored)}.`] : []),
      ...surgeryNotes(surgery),
    ],
    embeddedPlan: surgery?.plan,
    recausalised: surgery?.recausalised,
    // Attention looks at everything.
    localHistory: layout.blocks.some(({ mixer }) => mixer.kind === 'attention') ? undefined : layout.blocks.length * (sizes.shortFilterTaps - 1),
    async exactTensors(siteId, rows) {
      const block = layout.blocks.findIndex(({ mixer }) => mixer.kind === 'hyena' && mixer.site === siteId);
      const mixer = layout.blocks.at(block)?.mixer;
      const size = sizes.filters[block];
      if (mixer?.kind !== 'hyena' || mixer.filter?.kind !== 'explicit' || !size) throw new Error(`site ${siteId} has no stored taps`);
      return storedTaps(siteId, mixer.filter, size, sizes.hidden, rows);
    },
    graph: async () => {
      refuseSitesOnly({ path: file.path, sitesOnly });
      return buildStripedGraph({ name: family, layout, sizes, settings: config.graph as GraphSettings, maxLength, onDisk: weightsOnDisk !== undefined }, file);
    },
  });
}

/** Parameters of the largest part that a run needs at a time: a block, or the embedding. */
function largestLayer({ hidden, inner, vocabularySize }: StripedSizes): number {
  return Math.max(4 * hidden * hidden + 3 * inner * hidden, vocabularySize * hidden);
}

/** The site of a hyena block; none of an attention block. */
function blockSites(file: TensorFile, layout: StripedLayout, block: number, sizes: StripedSizes, config: StripedConfig): SiteDraft[] {
  const { mixer } = layout.blocks[block];
  if (mixer.kind === 'attention') {
    return [];
  }
  const { site, filter } = mixer;
  const size = sizes.filters[block];
  const writeBack: readonly WriteBack[] = [...(filter?.kind === 'explicit' ? ['exact' as const] : []), 'baked', 'sidecar'];
  const common = { id: site, layer: block, channels: sizes.hidden, writeBack };
  if (!filter || !size) {
    return [{ ...common, taps: 0, finite: replacesFinite(file, mixer, block, config) || undefined, storage: 'explicit', filterTensors: [] }];
  }
  const explicit = filter.kind === 'explicit';
  return [{
    ...common, taps: explicit ? size.size : config.length, finite: explicit || undefined, storage: explicit ? 'explicit' : 'modal',
    filterTensors: stripedFilterTensors(filter), source: stripedSource(file, filter, size, sizes.hidden),
  }];
}

/**
 * Whether a baked filter replaced a short explicit one, which is 0 beyond its taps: config.json lists those blocks; without it, a block that
 * has no skip term, or a filter with fewer taps than those that are made for any length.
 */
function replacesFinite(file: TensorFile, { site, skip }: HyenaMixer, block: number, { fields, length }: StripedConfig): boolean {
  const listed = [...(fields.indices('hcs_layer_idxs') ?? []), ...(fields.indices('hcm_layer_idxs') ?? [])];
  const columns = file.tensors.get(bakedFilterName(site))?.shape[1] ?? length;
  return listed.includes(block) || skip === undefined || columns < length;
}
