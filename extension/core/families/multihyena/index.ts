import * as path from 'node:path';
import { UserError } from '../../errors';
import type { TensorFile } from '../../formats/tensor-file';
import { readEmbeddedSurgery } from '../embedded-surgery';
import { generatorSizes } from '../hyenadna/dimensions';
import { generateFilter } from '../hyenadna/filter';
import { generatorTensors } from '../hyenadna/layout';
import type { Family, LongConvModel, OptionOverrides } from '../model';
import { ConfigFields } from '../shared/config-fields';
import { familyModel, longestModelInput } from '../shared/family-model';
import { chooseOption, refuseOtherOptions } from '../shared/options';
import { Shapes } from '../shared/shapes';
import { makeSites, surgeryNotes } from '../shared/sites';
import { incompleteness } from '../shared/tensor-names';
import { buildMultiHyenaGraph, type MultiHyenaSizes } from './graph';
import { findMultiHyenaLayout, MULTIHYENA_SITE, type MultiHyenaLayout } from './layout';

/** A lone Hyena operator with several heads, each filter serving all pairs of them. Source: athms/mad-lab, hyena.py. */
export const MULTIHYENA: Family = {
  name: 'multihyena',
  lookedFor: 'MultiHyena: in_proj, long_conv.bias, long_conv.filter.*, out_proj',
  recognise(file) {
    const layout = findMultiHyenaLayout(file.tensors);
    return layout && (incompleteness(layout) ?? true);
  },
  open,
};

async function open(file: TensorFile, config: unknown, given: OptionOverrides): Promise<LongConvModel> {
  const layout = findMultiHyenaLayout(file.tensors);
  const incomplete = layout && incompleteness(layout);
  if (!layout || incomplete) {
    throw new UserError(`${file.path} is not a whole MultiHyena operator: ${incomplete ?? 'it has no long_conv'}.`);
  }
  const fields = new ConfigFields(config, path.join(path.dirname(file.path), 'config.json'));
  const convolution = fields.object('long_conv_cfg');
  const filter = convolution.object('filter_cfg');
  fields.expectFixed('MultiHyena', { order: 2, num_blocks: 1, activation: 'id', outer_mixing: false, post_order_ffn: false, nested: false });
  convolution.expectFixed('MultiHyena', { bias: true, filter_cls: 'implicit' });
  filter.expectFixed('MultiHyena', { bidirectional: false, normalized: false });
  refuseOtherOptions('MultiHyena', given, ['modulate', 'shift']);
  const surgery = readEmbeddedSurgery(file);
  const from = { given, embedded: surgery?.plan.model.options };
  const modulate = chooseOption('modulate', { ...from, configured: filter.flag('modulate') }, true, 'default of the mad-lab code');
  const shift = chooseOption('shift', { ...from, configured: filter.number('shift') }, 0, 'default of the mad-lab code');
  if (typeof modulate.value !== 'boolean' || typeof shift.value !== 'number' || !Number.isFinite(shift.value)) {
    throw new UserError('The option "modulate" must be true or false, and "shift" a finite number.');
  }

  const sizes = readSizes(new Shapes(file), layout, fields);
  const channels = sizes.inner / sizes.heads;
  const { generator: names } = layout;
  const sampled = generatorSizes(new Shapes(file), names ? [names] : [], channels, fields.count('max_length'));
  fields.expectStored([['max_length', fields.count('max_length'), sampled.maxLength]]);
  const maxLength = sampled.maxLength ?? fields.count('max_length') ?? 0;
  const generator = names && { ...sampled, names, dModel: channels, maxLength, modulate: modulate.value, shift: shift.value, outputs: { count: 1, index: 0 } };
  const { sites, filters } = makeSites(file, surgery, [{
    id: MULTIHYENA_SITE, layer: 0, channels, taps: maxLength, storage: 'implicit', writeBack: ['baked', 'sidecar'],
    filterTensors: names ? generatorTensors(names) : [], source: generator && ((range, engine, reuse) => generateFilter(file, generator, range, engine, reuse)),
  }]);
  const longest = longestModelInput(sites);
  return familyModel({
    family: 'multihyena', file, sites, filters, parameters: layout.parameters, maxLength: longest,
    vocabularySize: 0, task: 'features', floatInput: ['length', sizes.dim], localHistory: sizes.shortFilterTaps - 1,
    options: [modulate, shift],
    notes: [
      `The operator has ${sizes.heads} heads: each of its ${channels} filters runs ${sizes.heads ** 2} times.`,
      `The filters are ${modulate.value ? '' : 'not '}multiplied by an exponential window (${modulate.source}), with shift ${shift.value} (${shift.source}).`,
      ...surgeryNotes(surgery),
    ],
    embeddedPlan: surgery?.plan, recausalised: surgery?.recausalised,
    graph: () => buildMultiHyenaGraph(layout, sizes, file, longest),
  });
}

/** The number of heads follows from the number of filters, that of groups from the rows of the projection. */
function readSizes(shapes: Shapes, layout: MultiHyenaLayout, fields: ConfigFields): MultiHyenaSizes {
  const [dim, inner] = shapes.matrix(layout.outProj.weight, 'dim, inner_factor dim');
  const [rows] = shapes.matrix(layout.inProj.weight, '3 inner_factor dim / proj_groups, dim');
  const [filters = 0] = shapes.of(layout.bias);
  const [heads, groups] = [inner / filters, (3 * inner) / rows];
  if (![heads, groups, inner / dim].every(Number.isInteger)) {
    throw new UserError(`${shapes.path} has ${filters} filters and ${rows} projected channels, which do not divide an inner width of ${inner}, or that is no multiple of its ${dim} channels.`);
  }
  const shortFilterTaps = shapes.of(layout.shortFilter.weight)[2] ?? 0;
  shapes.linear(layout.outProj, [dim, inner]);
  shapes.linear(layout.inProj, [rows, dim]);
  shapes.pair(layout.shortFilter, [3 * inner, 1, shortFilterTaps], 3 * inner);
  shapes.expect(layout.bias, [filters]);
  fields.expectStored([
    ['dim', fields.count('dim'), dim], ['num_heads', fields.count('num_heads'), heads], ['proj_groups', fields.count('proj_groups'), groups],
    ['inner_factor', fields.count('inner_factor'), inner / dim], ['short_filter_order', fields.count('short_filter_order'), shortFilterTaps],
  ]);
  return { dim, inner, heads, groups, shortFilterTaps };
}
