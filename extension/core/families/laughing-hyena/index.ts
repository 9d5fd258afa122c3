import * as path from 'node:path';
import type { TensorFile } from '../../formats/tensor-file';
import { readEmbeddedSurgery } from '../embedded-surgery';
import type { Family, LongConvModel, OptionOverrides } from '../model';
import { ConfigFields } from '../shared/config-fields';
import { longestModelInput } from '../shared/family-model';
import { filterBankModel } from '../shared/filter-block';
import { chooseOption, refuseOtherOptions, wholeNumber } from '../shared/options';
import { Shapes } from '../shared/shapes';
import { makeSites, type SiteDraft, surgeryNotes } from '../shared/sites';
import { bakedFilterName, listedNames, TensorNames } from '../shared/tensor-names';
import { laughingSource, TENSORS } from './filter';

const DEFAULT_LENGTH = 8192;
const THETA = /^(.*?)theta$/;
const BAKED_SITE = /^longconv\.surgeon\.(laughing-hyena\..*)\.k$/;

/** Distilled Hyena filters in modal form, alone or inside a model that is not known. Source: Zymrael/savanna. */
export const LAUGHING_HYENA: Family = {
  name: 'laughing-hyena',
  lookedFor: 'Laughing Hyena: *.r, *.theta, *.R_re, *.R_im, *.h_0',
  recognise(file) {
    const prefixes = filterPrefixes(file);
    if (prefixes.length === 0) {
      return bakedSites(file).length > 0 ? true : null;
    }
    const missing = prefixes.flatMap((prefix) => TENSORS.map((name) => `${prefix}${name}`)).filter((name) => !file.tensors.has(name));
    return missing.length > 0 ? `it lacks ${listedNames(missing)}` : true;
  },
  open,
};

/** Modules that have at least the angle and a radius or a residue under one prefix. */
function filterPrefixes(file: TensorFile): string[] {
  return [...file.tensors.keys()].flatMap((name) => {
    const prefix = THETA.exec(name)?.[1];
    return prefix !== undefined && (prefix === '' || prefix.endsWith('.')) && ['R_re', 'R_im'].some((other) => file.tensors.has(`${prefix}${other}`)) ? [prefix] : [];
  });
}

const bakedSites = (file: TensorFile): string[] => [...file.tensors.keys()].flatMap((name) => BAKED_SITE.exec(name)?.[1] ?? []);
const siteId = (prefix: string): string => `laughing-hyena.${prefix === '' ? 'filter' : prefix.slice(0, -1)}`;

async function open(file: TensorFile, config: unknown, given: OptionOverrides): Promise<LongConvModel> {
  const names = new TensorNames(file.tensors);
  const surgery = readEmbeddedSurgery(file);
  refuseOtherOptions('Laughing Hyena', given, ['length']);
  const fields = new ConfigFields(config, path.join(path.dirname(file.path), 'config.json'));
  const option = chooseOption('length', { given, embedded: surgery?.plan.model.options, configured: fields.count('seq_len') ?? fields.count('max_seqlen') }, DEFAULT_LENGTH, 'a choice: these filters are right at any length');
  const length = wholeNumber(option);
  const shapes = new Shapes(file);
  const drafts: SiteDraft[] = filterPrefixes(file).map((prefix, layer) => {
    const tensors = TENSORS.map((name) => names.need(`${prefix}${name}`));
    const [states, channels] = shapes.matrix(`${prefix}theta`, 'states, channels');
    for (const name of TENSORS) shapes.expect(`${prefix}${name}`, name === 'h_0' ? [1, channels] : [states, channels]);
    return {
      id: siteId(prefix), layer, channels, taps: length, storage: 'modal', writeBack: ['baked', 'sidecar'], filterTensors: tensors,
      source: laughingSource(file, { prefix }, states, channels),
    };
  });
  for (const id of bakedSites(file)) {
    drafts.push({ id, layer: drafts.length, channels: shapes.of(names.need(bakedFilterName(id)))[0] ?? 0, taps: length, storage: 'explicit', writeBack: ['baked'], filterTensors: [] });
  }
  const { sites, filters } = makeSites(file, surgery, drafts);
  const others = names.ignored([]);
  return filterBankModel({
    family: 'laughing-hyena', file, sites, filters, parameters: names.parameterCount(), maxLength: longestModelInput(sites), options: [option], growsWith: 'length',
    notes: [
      ...(others.length > 0 ? [`The file has tensors beside its modal filters, which are not used: ${listedNames(others)}.`] : []),
      ...surgeryNotes(surgery),
    ],
    embeddedPlan: surgery?.plan, recausalised: surgery?.recausalised,
  });
}
