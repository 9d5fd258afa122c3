import { UserError } from '../../errors';
import type { ModelOption, OptionOverrides } from '../model';
import { ConfigFields } from '../shared/config-fields';
import { chooseOption, refuseOtherOptions, wholeNumber } from '../shared/options';
import type { StripedLayout } from './layout';
import type { Activation, GraphSettings } from './settings';
import type { StripedSizes } from './sizes';

/** What the tensors of a StripedHyena model do not tell. */
export interface StripedConfig {
  readonly fields: ConfigFields;
  /** Taps of the filters that are made for any length. */
  readonly length: number;
  readonly options: readonly ModelOption[];
  /** How to run the model, or the sentence (without its subject) that says why that is not known. */
  readonly graph: GraphSettings | string;
  /** Whether tokens are the bytes of a text. */
  readonly bytes: boolean;
  readonly notes: readonly string[];
}

/** Longest inputs that StripedHyena and Evo models were first trained on. */
export const FIRST_LENGTH = 8192;
const DEFAULT_ROTARY_BASE = 10000;

/**
 * Reads the config.json of StripedHyena-7B or Evo (keys of togethercomputer/stripedhyena). Without it the filters are known, but not how
 * the model around them runs. Throws UserError for what contradicts the tensors or is not supported.
 */
export function readStripedConfig(
  layout: StripedLayout, sizes: StripedSizes, config: unknown, where: string, given: OptionOverrides, embedded: OptionOverrides | undefined,
): StripedConfig {
  const fields = new ConfigFields(config, where);
  checkSizes(fields, layout, sizes);
  fields.expectFixed('StripedHyena', { smeared_gqa: false, column_split_hyena: true });
  refuseOtherOptions('StripedHyena', given, ['length']);
  const length = lengthOption(fields, { given, embedded });
  return {
    fields, length: wholeNumber(length), options: [length],
    graph: config === undefined
      ? 'has no config.json beside it, and no tensor tells its activation, its norms and the rates of its rotary embedding'
      : {
        heads: headCount(fields, sizes), parts: 'heads', attentionByHead: false, flipped: false, ...norms(fields),
        activation: () => activation(fields) ?? 'silu', rotary: rotary(fields),
      },
    bytes: fields.text('tokenizer_type') === 'CharLevelTokenizer',
    notes: ignoredSettings(fields),
  };
}

/** The length that modal filters are made for: any is right, so this is a choice. */
export function lengthOption(fields: ConfigFields, from: { given: OptionOverrides; embedded: OptionOverrides | undefined }, otherwise = FIRST_LENGTH, why = 'first trained length of such models'): ModelOption {
  return chooseOption('length', { ...from, configured: fields.count('max_seqlen') ?? fields.count('max_sequence_len') }, otherwise, why);
}

export function checkSizes(fields: ConfigFields, { blocks, finalNorm }: StripedLayout, sizes: StripedSizes): void {
  fields.expectStored([
    ['vocab_size', fields.count('vocab_size'), sizes.vocabularySize],
    ['hidden_size', fields.count('hidden_size'), sizes.hidden],
    ['num_layers', fields.count('num_layers'), blocks.length],
    ['inner_mlp_size', fields.count('inner_mlp_size'), sizes.inner],
    ['short_filter_length', fields.count('short_filter_length'), sizes.shortFilterTaps || undefined],
  ]);
  const kinds = fields.indices('attn_layer_idxs');
  const stored = blocks.flatMap(({ mixer }, index) => (mixer.kind === 'attention' ? [index] : []));
  if (kinds !== undefined && kinds.join() !== stored.join()) {
    throw new UserError(`${fields.where} and the model disagree: attn_layer_idxs is [${kinds.join(', ')}] in the file, but the tensors have attention in [${stored.join(', ')}].`,
      'Check that config.json belongs to this model, or move it away to open the model without it.');
  }
  if ((fields.flag('final_norm') ?? true) !== (finalNorm !== undefined)) {
    throw new UserError(`${fields.where} says that the model has ${finalNorm === undefined ? 'a' : 'no'} final norm, but the file has ${finalNorm === undefined ? 'none' : finalNorm}.`, 'Check that config.json belongs to this model.');
  }
}

export function norms(fields: ConfigFields): Pick<GraphSettings, 'eps' | 'epsInRoot'> {
  return { eps: fields.positive('eps') ?? 1e-6, epsInRoot: fields.flag('use_flash_rmsnorm') ?? false };
}

export function rotary(fields: ConfigFields): GraphSettings['rotary'] {
  const interpolated = fields.flag('use_interpolated_rotary_pos_emb') ?? false;
  return { base: fields.positive('rotary_emb_base') ?? DEFAULT_ROTARY_BASE, positionScale: interpolated ? (fields.positive('rotary_emb_scaling_factor') ?? 1) : 1 };
}

export function activation(fields: ConfigFields): Activation | undefined {
  const name = fields.text('mlp_activation');
  if (name !== undefined && name !== 'gelu' && name !== 'silu' && name !== 'identity') {
    throw new UserError(`${fields.where} sets "mlp_activation" to "${name}", and only "gelu", "silu" and "identity" are supported.`);
  }
  return name;
}

/** From config.json, else from the stored rates of the rotary embedding. */
export function headCount(fields: ConfigFields, { hidden, headDimension, qkvRows }: StripedSizes): number {
  const heads = fields.count('num_attention_heads') ?? (headDimension && hidden / headDimension);
  if (heads === undefined) {
    throw new UserError(`${fields.where} does not give "num_attention_heads".`, 'Give the configuration that the model was published with.');
  }
  const keys = ((qkvRows ?? 3 * hidden) - hidden) / 2;
  const size = hidden / heads;
  if (!Number.isInteger(size) || size % 2 !== 0 || (headDimension !== undefined && headDimension !== size) || keys <= 0 || keys % size !== 0 || heads % (keys / size) !== 0) {
    throw new UserError(`${fields.where} gives ${heads} attention heads, which do not fit a width of ${hidden} with ${qkvRows ?? 3 * hidden} rows of queries, keys and values.`,
      'Check that config.json belongs to this model.');
  }
  return heads;
}

/** Settings of the original code that are left out here, with the reason. */
export function ignoredSettings(fields: ConfigFields): string[] {
  const notes: string[] = [];
  if (fields.has('long_fir_threshold')) {
    notes.push('config.json sets long_fir_threshold, which the original code applies to the first taps in reversed order; it is left out here. A partial mask cuts filters as they are meant to be cut.');
  }
  if (fields.flag('use_fp8_input_projections') ?? false) {
    notes.push('The original model rounds the inputs of its projections to 8 bits; here they are computed in float32, so results differ slightly.');
  }
  return notes;
}
