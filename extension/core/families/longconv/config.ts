import { UserError } from '../../errors';
import type { ModelOption, OptionOverrides } from '../model';
import { ConfigFields } from '../shared/config-fields';
import { chooseOption, refuseOtherOptions } from '../shared/options';
import type { KernelShaping } from './kernel';

/** Threshold of the original code where a configuration gives none. Source: HazyResearch/safari, long_conv_kernel.py. */
const DEFAULT_LAM = 0.1;
const DEFAULT_WINDOW = 7;

export interface LongConvSettings {
  readonly shaping: KernelShaping;
  readonly bidirectional: boolean;
  readonly activation: 'gelu' | 'id';
  readonly gated: boolean;
  /** Whether the layer takes [B, H, L] (true) or [B, L, H]. */
  readonly transposed: boolean;
  readonly prenorm: boolean;
  readonly options: readonly ModelOption[];
  readonly fields: ConfigFields;
}

/** What config.json and the user say. Throws UserError for what is not supported. `standalone`: of the whole classifier. */
export function readSettings(config: unknown, where: string, given: OptionOverrides, embedded: OptionOverrides | undefined, standalone: boolean): LongConvSettings {
  refuseOtherOptions('LongConv', given, ['lam']);
  const fields = new ConfigFields(config, where);
  fields.expectFixed('LongConv', { weight_norm: false, hyper_act: null, bottleneck: null, gate: null, causal: true });
  const activation = fields.has('activation') ? fields.text('activation') : 'gelu';
  if (activation !== 'gelu') {
    throw new UserError(`${where} sets "activation" to ${JSON.stringify(activation)}, and only "gelu" is supported for LongConv.`);
  }
  const lam = chooseOption('lam', { given, embedded, configured: fields.number(standalone ? 'kernel_lam' : 'lam') }, DEFAULT_LAM,
    'default of the original code; no tensor tells it');
  if (typeof lam.value !== 'number' || !(lam.value >= 0)) {
    throw new UserError(`The option "lam" must be a number of at least 0, not ${String(lam.value)}.`);
  }
  return {
    shaping: { lam: lam.value, smoothing: smoothing(fields, where) },
    bidirectional: fields.flag('bidirectional') ?? false,
    activation, gated: standalone || (fields.has('postact') ? fields.text('postact') : 'glu') === 'glu',
    transposed: fields.flag('transposed') ?? true,
    prenorm: fields.flag('prenorm') ?? false,
    options: [lam], fields,
  };
}

function smoothing(fields: ConfigFields, where: string): KernelShaping['smoothing'] {
  if (fields.flag('use_ma_smoothing') !== true) {
    return undefined;
  }
  const window = fields.count('ma_window_len') ?? DEFAULT_WINDOW;
  if (window % 2 === 0) {
    throw new UserError(`${where} sets "ma_window_len" to ${window}, and only odd windows are supported for LongConv.`);
  }
  return { kind: fields.flag('smooth_freq') === true ? 'frequency' : 'time', window };
}
