import { UserError } from '../../errors';
import type { ModelOption, OptionOverrides } from '../model';
import type { HyenaDnaConfig } from './config';

/** The constant added to the filter's window in the code that the released models are used with. */
const RELEASED_SHIFT = 0.05;
/** ... and in the training repository. */
const TRAINING_SHIFT = 0;

export interface ShiftClues {
  /** What the user asks for. */
  readonly given: OptionOverrides;
  /** Options of the plan that an export carries: what its filters were validated with. */
  readonly embedded?: OptionOverrides;
  readonly config: HyenaDnaConfig;
  readonly gradientCheckpointing: boolean;
}

/**
 * The window's shift, which no published file states; see docs/decisions.md, "Default of shift". Throws UserError for options that a
 * HyenaDNA model does not have.
 */
export function chooseShift({ given, embedded, config, gradientCheckpointing }: ShiftClues): ModelOption {
  const unknown = Object.keys(given).find((name) => name !== 'shift');
  if (unknown !== undefined) {
    throw new UserError(`A HyenaDNA model has no option "${unknown}".`, 'Its option is "shift".');
  }
  if (given.shift !== undefined) {
    return { name: 'shift', value: finite(given.shift), source: 'given by the user' };
  }
  if (embedded?.shift !== undefined) {
    return { name: 'shift', value: finite(embedded.shift), source: 'the plan in the file' };
  }
  if (config.shift !== undefined) {
    return { name: 'shift', value: config.shift, source: 'config.json' };
  }
  return gradientCheckpointing
    ? { name: 'shift', value: TRAINING_SHIFT, source: 'default of the training code, which alone writes tensor names like these' }
    : { name: 'shift', value: RELEASED_SHIFT, source: 'default of the published standalone and Hugging Face code' };
}

function finite(value: number | boolean): number {
  if (typeof value !== 'number' || !Number.isFinite(value)) {
    throw new UserError(`The option "shift" must be a finite number, not ${String(value)}.`, 'Released models use 0.05 or 0.');
  }
  return value;
}
