import { UserError } from '../../errors';
import type { ModelOption, OptionOverrides } from '../model';
import { ConfigFields } from '../shared/config-fields';
import { chooseOption, refuseOtherOptions, wholeNumber } from '../shared/options';
import { activation, checkSizes, FIRST_LENGTH, headCount, ignoredSettings, lengthOption, norms, rotary, type StripedConfig } from '../stripedhyena/config';
import type { StripedLayout } from '../stripedhyena/layout';
import type { Activation, GraphSettings } from '../stripedhyena/settings';
import type { StripedSizes } from '../stripedhyena/sizes';
import { PUBLISHED } from './published';

/**
 * Settings of an Evo 2 model: from a config.json with the keys of vortex where there is one, else those of the published model of this
 * size. Throws UserError for what contradicts the tensors or is not supported.
 */
export function readEvo2Config(
  layout: StripedLayout, sizes: StripedSizes, config: unknown, where: string, given: OptionOverrides, embedded: OptionOverrides | undefined,
): StripedConfig {
  const fields = new ConfigFields(config, where);
  return config === undefined ? fromPublished(fields, layout, sizes, given, embedded) : fromConfig(fields, layout, sizes, given, embedded);
}

function fromConfig(fields: ConfigFields, layout: StripedLayout, sizes: StripedSizes, given: OptionOverrides, embedded: OptionOverrides | undefined): StripedConfig {
  checkSizes(fields, layout, sizes);
  checkKinds(fields, layout, sizes);
  fields.expectFixed('Evo 2', { proj_groups: 1, hyena_filter_groups: 1, column_split_hyena: false, smeared_gqa: false });
  refuseOtherOptions('Evo 2', given, ['length']);
  const length = lengthOption(fields, { given, embedded });
  const own = activation(fields) ?? 'gelu';
  const firstOnly = fields.flag('evo2_style_activations') ?? false;
  return {
    fields, length: wholeNumber(length), options: [length],
    graph: {
      heads: headCount(fields, sizes), parts: fields.flag('interleave') ?? false ? 'interleaved' : 'contiguous', attentionByHead: true,
      flipped: fields.flag('hyena_flip_x1x2') ?? false, ...norms(fields), rotary: rotary(fields),
      activation: (block): Activation => (firstOnly && block > 0 ? 'identity' : own),
    },
    bytes: (fields.text('tokenizer_type') ?? 'CharLevelTokenizer') === 'CharLevelTokenizer',
    notes: ignoredSettings(fields),
  };
}

/** The kinds of hyena blocks that config.json lists must be those of the tensors. */
function checkKinds(fields: ConfigFields, layout: StripedLayout, sizes: StripedSizes): void {
  const kinds = { hcs: [] as number[], hcm: [] as number[], hcl: [] as number[] };
  const taps: { hcs?: number; hcm?: number } = {};
  layout.blocks.forEach(({ mixer }, block) => {
    if (mixer.kind !== 'hyena' || !mixer.filter) return;
    const kind = mixer.filter.kind === 'explicit' ? (mixer.filter.reversed ? 'hcs' : 'hcm') : 'hcl';
    kinds[kind].push(block);
    if (kind !== 'hcl') taps[kind] ??= sizes.filters[block]?.size;
  });
  for (const kind of ['hcs', 'hcm', 'hcl'] as const) {
    const listed = fields.indices(`${kind}_layer_idxs`)?.filter((block) => {
      const mixer = layout.blocks.at(block)?.mixer;
      return !(mixer?.kind === 'hyena' && mixer.filter === undefined);
    });
    if (listed !== undefined && listed.join() !== kinds[kind].join()) {
      throw new UserError(`${fields.where} and the model disagree: ${kind}_layer_idxs is [${listed.join(', ')}] in the file, but the tensors have such filters in [${kinds[kind].join(', ')}].`,
        'Check that config.json belongs to this model, or move it away to open the model without it.');
    }
  }
  fields.expectStored([
    ['hcs_filter_length', fields.count('hcs_filter_length'), taps.hcs],
    ['hcm_filter_length', fields.count('hcm_filter_length'), taps.hcm],
  ]);
}

/** Without a config.json: the published models differ in size, but for two of them, which the option `rotary_scale` tells apart. */
function fromPublished(fields: ConfigFields, layout: StripedLayout, sizes: StripedSizes, given: OptionOverrides, embedded: OptionOverrides | undefined): StripedConfig {
  refuseOtherOptions('Evo 2', given, ['length', 'rotary_scale']);
  const from = { given, embedded };
  const fitting = PUBLISHED.filter(({ hidden, layers, inner }) => hidden === sizes.hidden && layers === layout.blocks.length && inner === sizes.inner);
  const scale = given.rotary_scale ?? embedded?.rotary_scale;
  const chosen = fitting.length === 1 ? fitting[0] : fitting.find(({ positionScale }) => positionScale === scale);
  const names = fitting.map(({ name }) => name);
  const length = lengthOption(fields, from, chosen ? Math.min(chosen.length, FIRST_LENGTH) : FIRST_LENGTH);
  const options: ModelOption[] = [length];
  if (chosen) options.push(chooseOption('rotary_scale', from, chosen.positionScale, `the published ${chosen.name}, which has this size`));
  return {
    fields, length: wholeNumber(length), options,
    graph: chosen ? publishedGraph(chosen.rotaryBase, wholeNumber(options[1]), fields, sizes) : undecided(names, fitting.map(({ positionScale }) => positionScale)),
    bytes: true,
    notes: [
      ...(chosen ? [`There is no config.json; the settings are those of the published ${chosen.name}, which has this size.`] : []),
      ...(chosen?.fp8 ? ['The original model rounds the inputs of its projections to 8 bits; here they are computed in float32, so results differ slightly.'] : []),
    ],
  };
}

const undecided = (names: readonly string[], scales: readonly number[]): string => (names.length === 0
  ? 'has no config.json beside it, and no published model has its size'
  : `has no config.json beside it, and the size of both ${names.join(' and ')}; the option rotary_scale (${scales.join(' or ')}) tells which it is`);

function publishedGraph(base: number, positionScale: number, fields: ConfigFields, sizes: StripedSizes): GraphSettings {
  return {
    heads: headCount(fields, sizes.headDimension === undefined ? { ...sizes, headDimension: 128 } : sizes), parts: 'interleaved', attentionByHead: true, flipped: false,
    eps: 1e-6, epsInRoot: false, rotary: { base, positionScale }, activation: (block) => (block === 0 ? 'gelu' : 'identity'),
  };
}
