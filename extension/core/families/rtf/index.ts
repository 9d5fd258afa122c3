import * as path from 'node:path';
import { UserError } from '../../errors';
import type { TensorFile } from '../../formats/tensor-file';
import { readEmbeddedSurgery } from '../embedded-surgery';
import type { Family, LongConvModel, OptionOverrides } from '../model';
import { ConfigFields } from '../shared/config-fields';
import { longestModelInput } from '../shared/family-model';
import { filterBankModel } from '../shared/filter-block';
import { chooseOption, refuseOtherOptions, wholeNumber } from '../shared/options';
import { Shapes } from '../shared/shapes';
import { makeSites, surgeryNotes } from '../shared/sites';
import { bakedFilterName, incompleteness, TensorNames } from '../shared/tensor-names';
import { rtfSource } from './filter';

const SITE = 'rtf';
const AB = 'ab';
const H0 = 'h_0';

/** A layer of rational transfer functions. Source: athms/mad-lab, rtf.py. */
export const RTF: Family = {
  name: 'rtf',
  lookedFor: 'RTF: ab and h_0',
  recognise(file) {
    const { tensors } = file;
    if (!tensors.has(bakedFilterName(SITE)) && !(tensors.has(AB) || (tensors.has(H0) && tensors.size <= 2))) {
      return null;
    }
    return incompleteness(claim(file)) ?? true;
  },
  open,
};

function claim(file: TensorFile): { readonly names: TensorNames; readonly missing: readonly string[]; readonly unknown: readonly string[] } {
  const names = new TensorNames(file.tensors);
  if (names.baked(SITE) === undefined) {
    names.need(AB);
    names.need(H0);
  }
  return { names, missing: names.missing, unknown: names.unknown(['']) };
}

async function open(file: TensorFile, config: unknown, given: OptionOverrides): Promise<LongConvModel> {
  const claimed = claim(file);
  const incomplete = incompleteness(claimed);
  if (incomplete !== null) {
    throw new UserError(`${file.path} is not a whole RTF layer: ${incomplete}.`);
  }
  const fields = new ConfigFields(config, path.join(path.dirname(file.path), 'config.json'));
  fields.expectFixed('RTF', { bidirectional: false });
  refuseOtherOptions('RTF', given, ['length']);
  const surgery = readEmbeddedSurgery(file);
  const baked = file.tensors.has(bakedFilterName(SITE));
  const option = chooseOption('length', { given, embedded: surgery?.plan.model.options, configured: fields.count('trunc_len') ?? fields.count('seq_len') }, 0, 'not given');
  if (option.value === 0 && !baked) {
    throw new UserError(`${file.path} holds rational functions, and its filters depend on the length that they were sampled at, which no tensor tells.`,
      'Give the option "length", or a config.json with "trunc_len".');
  }
  const length = option.value === 0 ? 0 : wholeNumber(option);
  const sizes = baked ? { order: 0, denominators: 0, channels: new Shapes(file).of(bakedFilterName(SITE))[0] ?? 0 } : readSizes(file, fields);
  if (!baked && length <= sizes.order) {
    throw new UserError(`The length ${length} is not above the ${sizes.order} coefficients of the rational functions.`, 'Correct the option "length" or "trunc_len" in config.json.');
  }
  const { sites, filters } = makeSites(file, surgery, [{
    id: SITE, layer: 0, channels: sizes.channels, taps: length, storage: 'modal', writeBack: ['baked', 'sidecar'], filterTensors: [AB, H0],
    source: rtfSource(file, { ab: AB, h0: H0 }, { ...sizes, length }),
  }]);
  return filterBankModel({
    family: 'rtf', file, sites, filters, parameters: claimed.names.parameterCount(), maxLength: longestModelInput(sites),
    options: length > 0 ? [option] : [], notes: surgeryNotes(surgery), embeddedPlan: surgery?.plan, recausalised: surgery?.recausalised,
  });
}

/** ab [num_a + D, N], h_0 [D]. */
function readSizes(file: TensorFile, fields: ConfigFields): { order: number; denominators: number; channels: number } {
  const shapes = new Shapes(file);
  const [rows, order] = shapes.matrix(AB, 'num_a + d_model, state_size');
  const [channels = 0] = shapes.of(H0);
  shapes.expect(H0, [channels]);
  const denominators = rows - channels;
  if (denominators < 1 || channels % denominators !== 0) {
    throw new UserError(`${file.path} has ${rows} rows in ${AB} for ${channels} channels in ${H0}: ${denominators} denominators cannot serve them.`);
  }
  fields.expectStored([['d_model', fields.count('d_model'), channels], ['state_size', fields.count('state_size'), order], ['num_a', fields.count('num_a'), denominators]]);
  return { order, denominators, channels };
}
