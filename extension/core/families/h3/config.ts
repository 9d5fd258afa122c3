import { UserError } from '../../errors';
import type { ModelOption, OptionOverrides } from '../model';
import { ConfigFields } from '../shared/config-fields';
import { chooseOption, refuseOtherOptions, wholeNumber } from '../shared/options';
import type { Discretisation } from './filter';
import type { H3Layout } from './layout';

/** What the tensors of an H3 model do not tell. */
export interface H3Settings {
  readonly fields: ConfigFields;
  /** Taps of the state-space filters. */
  readonly length: number;
  /** Taps of explicit filters as config.json has them, 0 where it does not; those of the file count where it has them. */
  readonly explicitLength: number;
  readonly discretisation: Discretisation;
  /** Explicit taps are squashed by this. */
  readonly lam: number;
  /** 0 without attention. */
  readonly heads: number;
  readonly rotaryDimension: number;
  readonly options: readonly ModelOption[];
}

/** Inputs that the published models were trained on. */
const TRAINED_LENGTH = 2048;
/** Default of the safari code. */
const DEFAULT_LAM = 0.1;
/** Attention heads of the published models, by width. */
const PUBLISHED_HEADS: Readonly<Record<number, number>> = { 768: 12, 1024: 16, 2048: 16, 2560: 20 };

/**
 * Settings from the options, the plan in the file, config.json (constructor arguments as in the H3 repository, or a safari configuration
 * with `model_config`) and the published defaults, in this order. Throws UserError for what contradicts the tensors or is not supported.
 */
export function readSettings(layout: H3Layout, config: unknown, where: string, given: OptionOverrides, embedded: OptionOverrides | undefined, dModel: number): H3Settings {
  const outer = new ConfigFields(config, where);
  const fields = outer.has('model_config') ? outer.object('model_config') : outer;
  const layer = fields.object('layer');
  const ssm = fields.has('ssm_cfg') ? fields.object('ssm_cfg') : layer;
  const attention = fields.object('attn_cfg');
  ssm.expectFixed('H3', { mode: 'diag', real_type: 'exp', bandlimit: null, head_dim: 1 });
  layer.expectFixed('H3', { use_ma_smoothing: false, causal: true, bidirectional: false, head_dim: 1 });
  const filters = layout.layers.flatMap(({ mixer }) => (mixer.kind === 'h3' ? [mixer.first.filter, mixer.second.filter] : []));
  const explicit = filters.some((filter) => filter?.kind === 'explicit');
  const modal = filters.some((filter) => filter?.kind === 'diagonal');
  const attends = layout.layers.some(({ mixer }) => mixer.kind === 'attention');

  const names = [...(modal ? ['length', 'zoh'] : []), ...(explicit ? ['lam'] : []), ...(attends ? ['heads'] : [])];
  refuseOtherOptions('H3', given, names);
  const from = { given, embedded };
  const options: ModelOption[] = [];
  const choose = (name: string, configured: number | boolean | undefined, otherwise: number | boolean, why: string): ModelOption => {
    const option = chooseOption(name, { ...from, configured }, otherwise, why);
    options.push(option);
    return option;
  };
  const length = modal ? wholeNumber(choose('length', fields.count('l_max') ?? layer.count('l_max'), TRAINED_LENGTH, 'trained length of the published models')) : 0;
  const zoh = modal && choose('zoh', discretisation(ssm), false, 'default of the H3 code, bilinear').value;
  const lam = explicit ? Number(choose('lam', layer.number('lam'), DEFAULT_LAM, 'default of the safari code').value) : 0;
  if (!Number.isFinite(lam) || lam < 0) {
    throw new UserError(`The option "lam" must be a number of at least 0, not ${lam}.`);
  }
  return {
    fields, length, lam, options, explicitLength: layer.count('l_max') ?? 0,
    discretisation: zoh ? 'zoh' : 'bilinear',
    heads: attends ? attentionHeads(choose, attention.count('num_heads'), dModel) : 0,
    rotaryDimension: attention.has('rotary_emb_dim') ? (attention.number('rotary_emb_dim') ?? 0) : -1,
  };
}

function discretisation(ssm: ConfigFields): boolean | undefined {
  const name = ssm.text('disc');
  if (name !== undefined && name !== 'bilinear' && name !== 'zoh') {
    throw new UserError(`${ssm.where} sets "disc" to "${name}", and only "bilinear" and "zoh" are supported for H3.`);
  }
  return name === undefined ? undefined : name === 'zoh';
}

function attentionHeads(
  choose: (name: string, configured: number | undefined, otherwise: number, why: string) => ModelOption, configured: number | undefined, dModel: number,
): number {
  const published = PUBLISHED_HEADS[dModel] ?? 0;
  const option = choose('heads', configured, published, 'the published model of this width');
  if (option.value === 0) {
    throw new UserError('The model has attention layers, and neither config.json (attn_cfg.num_heads) nor its width tells how many heads they have.', 'Give the option "heads".');
  }
  const heads = wholeNumber(option);
  if (dModel % heads !== 0) {
    throw new UserError(`${heads} attention heads do not divide the width ${dModel}.`, 'Correct the option "heads".');
  }
  return heads;
}
