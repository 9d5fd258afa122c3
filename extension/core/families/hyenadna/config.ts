import { UserError } from '../../errors';

/** What a config.json says about a Hyena language model; a field that the file leaves out is undefined. */
export interface HyenaDnaConfig {
  /** Hugging Face repositories and the original training repository write different keys. */
  readonly kind: 'huggingface' | 'original';
  readonly dModel?: number;
  readonly layers?: number;
  readonly inner?: number;
  readonly vocabularySize?: number;
  /** The vocabulary's rows are rounded up to a multiple of this. */
  readonly vocabularyMultiple?: number;
  readonly maxLength?: number;
  readonly features?: number;
  readonly filterWidth?: number;
  /** Hidden layers of the filter's generator after the first. */
  readonly innerLayers?: number;
  readonly shortFilterTaps?: number;
  /** Whether the filter is multiplied by its exponential window; true where the config says nothing. */
  readonly modulate: boolean;
  readonly modulateGiven: boolean;
  readonly shift?: number;
  readonly finalNormEps: number;
  /** Free text about the model. */
  readonly description?: string;
}

type Fields = Readonly<Record<string, unknown>>;

const DEFAULT_EPS = 1e-5;

/** Settings that change what the model computes and have one supported value; also the default where a config leaves them out. */
const FIXED_SETTINGS: readonly (readonly [key: string, value: unknown])[] = [
  ['normalized', false], ['bidirectional', false], ['num_heads', 1], ['num_blocks', 1], ['inner_factor', 1],
  ['outer_mixing', false], ['post_order_ffn', false], ['activation', 'id'], ['linear_mixer', false],
];
/** The same for the original configs alone: the Hugging Face code has these keys but ignores them. */
const FIXED_ORIGINAL_SETTINGS: readonly (readonly [key: string, value: unknown])[] = [['use_bias', true], ['layer_norm_epsilon', DEFAULT_EPS]];

/**
 * Understands both kinds of config.json: flat Hugging Face keys, and the original repository's keys with the mixer's in `layer`.
 * Throws UserError for values of the wrong type and for variants of the model that are not supported. `where` names the file, `order`
 * is that of the model's Hyena operators.
 */
export function readConfig(config: unknown, where: string, { family, order }: { readonly family: string; readonly order: number } = { family: 'HyenaDNA', order: 2 }): HyenaDnaConfig {
  const top = fields(config, where, 'The file');
  const original = top.layer !== undefined;
  const layer = original ? fields(top.layer, where, '"layer"') : top;
  if (original && layer._name_ !== undefined && layer._name_ !== 'hyena') {
    throw new UserError(`${where} describes layers of type ${JSON.stringify(layer._name_)}, not "hyena".`, 'Check that it belongs to this model.');
  }
  const fixed: typeof FIXED_SETTINGS = [['order', order], ['hyena_order', order], ...FIXED_SETTINGS, ...(original ? FIXED_ORIGINAL_SETTINGS : [])];
  for (const [key, value] of fixed) {
    const given = layer[key] ?? top[key] ?? value;
    if (given !== value) {
      throw new UserError(`${where} sets "${key}" to ${JSON.stringify(given)}, and only ${JSON.stringify(value)} is supported for ${family}${key.endsWith('order') && order !== 2 ? ', because the tensors have it' : ''}.`);
    }
  }
  const count = (from: Fields, key: string): number | undefined => number(from, key, where, (value) => Number.isSafeInteger(value) && value > 0, 'a whole number above 0');
  return {
    kind: original ? 'original' : 'huggingface',
    dModel: count(top, 'd_model'),
    layers: count(top, 'n_layer'),
    inner: count(top, 'd_inner'),
    vocabularySize: count(top, 'vocab_size'),
    vocabularyMultiple: count(top, 'pad_vocab_size_multiple'),
    maxLength: original ? count(layer, 'l_max') : count(top, 'max_seq_len'),
    features: count(layer, 'emb_dim'),
    filterWidth: count(layer, 'filter_order'),
    innerLayers: count(layer, 'num_inner_mlps'),
    shortFilterTaps: count(layer, 'short_filter_order'),
    modulate: flag(layer, 'modulate', where) ?? true,
    modulateGiven: (layer.modulate ?? undefined) !== undefined,
    shift: finite(top, 'shift', where) ?? finite(layer, 'shift', where),
    finalNormEps: number(top, 'layer_norm_epsilon', where, (value) => value > 0, 'a number above 0') ?? DEFAULT_EPS,
    description: typeof top.description === 'string' && top.description.trim() !== '' ? top.description.trim() : undefined,
  };
}

/** Without a config.json: what the released models have. */
export const DEFAULT_CONFIG: HyenaDnaConfig = { kind: 'huggingface', modulate: true, modulateGiven: false, finalNormEps: DEFAULT_EPS };

function fields(value: unknown, where: string, what: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new UserError(`${where} is not a model configuration: ${what} must be a JSON object.`, 'Correct the file, or move it away to open the model without it.');
  }
  return value as Fields;
}

function number(from: Fields, key: string, where: string, valid: (value: number) => boolean, expected: string): number | undefined {
  const value = from[key];
  if (value === undefined || value === null) {
    return undefined;
  }
  if (typeof value !== 'number' || !valid(value)) {
    throw new UserError(`${where} sets "${key}" to ${JSON.stringify(value)} where ${expected} is needed.`, 'Correct the file.');
  }
  return value;
}

const finite = (from: Fields, key: string, where: string): number | undefined => number(from, key, where, Number.isFinite, 'a finite number');

function flag(from: Fields, key: string, where: string): boolean | undefined {
  const value = from[key];
  if (value === undefined || value === null || typeof value === 'boolean') {
    return value ?? undefined;
  }
  throw new UserError(`${where} sets "${key}" to ${JSON.stringify(value)} where true or false is needed.`, 'Correct the file.');
}
