import { UserError } from '../../errors';
import type { ModelOption, OptionOverrides } from '../model';
import { ConfigFields } from '../shared/config-fields';
import { chooseOption, refuseOtherOptions, wholeNumber } from '../shared/options';

/** How a stored real number becomes one of the right sign. */
export type Transform = 'exp' | 'softplus' | 'relu' | 'sigmoid' | 'none';
const TRANSFORMS: readonly Transform[] = ['exp', 'softplus', 'relu', 'sigmoid', 'none'];
/** Taps of a filter that exists at any length, where neither the file nor the user names one. */
const DEFAULT_TAPS = 1024;

export interface S4Settings {
  readonly discretisation: 'zoh' | 'bilinear';
  readonly dt: Transform;
  readonly real: Transform;
  readonly imaginary: Transform;
  /** States that oscillate faster than this share of the sampling rate are left out; undefined: none. */
  readonly bandlimit?: number;
  readonly bidirectional: boolean;
  readonly activation: 'gelu' | 'id';
  readonly gated: boolean;
  /** Whether a single layer takes [B, H, L] (true) or [B, L, H]. */
  readonly transposed: boolean;
  /** Longest input that filters are made for; undefined: what the state matrices are tuned to. */
  readonly length?: number;
  readonly options: readonly ModelOption[];
  /** Fields of the whole file, of the model in it, and of its S4 layers. */
  readonly root: ConfigFields;
  readonly top: ConfigFields;
  readonly layer: ConfigFields;
}

/**
 * What config.json and the user say. `tuned`: length that the stored state matrices are tuned to, where there is one.
 * Throws UserError for what is not supported.
 */
export function readSettings(config: unknown, where: string, given: OptionOverrides, embedded: OptionOverrides | undefined, tuned: number | undefined): S4Settings {
  refuseOtherOptions('S4', given, ['l_max']);
  const root = new ConfigFields(config, where);
  const top = root.has('model') ? root.object('model') : root;
  const layer = top.has('layer') ? top.object('layer') : top;
  layer.expectFixed('S4', { gate: null, bottleneck: null, mult_act: null, trainable: true, tie_dropout: false, shift: false, linear: false });
  const transform = (key: string, otherwise: Transform): Transform => {
    const value = layer.text(key) ?? otherwise;
    const known = TRANSFORMS.find((name) => name === value);
    if (known === undefined) {
      throw new UserError(`${where} sets "${key}" to ${JSON.stringify(value)}, and only ${TRANSFORMS.join(', ')} are supported for S4.`);
    }
    return known;
  };
  const activation = layer.has('activation') ? layer.text('activation') : 'gelu';
  if (activation !== 'gelu') {
    throw new UserError(`${where} sets "activation" to ${JSON.stringify(activation)}, and only "gelu" is supported for S4.`);
  }
  const discretisation = layer.text('disc') ?? 'zoh';
  if (discretisation !== 'zoh' && discretisation !== 'bilinear') {
    throw new UserError(`${where} sets "disc" to ${JSON.stringify(discretisation)}, and only "zoh" and "bilinear" are supported for S4.`);
  }
  const length = chooseOption('l_max', { given, embedded, configured: layer.count('l_max') }, tuned ?? DEFAULT_TAPS,
    tuned === undefined ? 'chosen here: these filters exist at any length' : 'the length that the stored state matrices are tuned to');
  return {
    discretisation, dt: transform('dt_transform', 'exp'), real: transform('real_transform', 'exp'), imaginary: transform('imag_transform', 'none'),
    bandlimit: layer.positive('bandlimit'), bidirectional: layer.flag('bidirectional') ?? false, activation,
    gated: (layer.has('final_act') ? layer.text('final_act') : 'glu') === 'glu',
    transposed: layer.flag('transposed') ?? true,
    length: wholeNumber(length), options: [length], root, top, layer,
  };
}

export function apply(transform: Transform, x: number): number {
  switch (transform) {
    case 'exp': return Math.exp(x);
    // log(1 + e^x), without overflow.
    case 'softplus': return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
    case 'relu': return Math.max(x, 0);
    case 'sigmoid': return 1 / (1 + Math.exp(-x));
    case 'none': return x;
  }
}
