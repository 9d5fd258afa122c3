import { UserError } from '../../errors';
import type { HyenaDnaConfig } from '../hyenadna/config';
import type { ModelOption, OptionOverrides } from '../model';
import { chooseOption, refuseOtherOptions } from '../shared/options';

export interface HyenaOptions {
  /** Whether the filters are multiplied by their exponential window. */
  readonly modulate: boolean;
  /** Added to the window. */
  readonly shift: number;
  readonly options: readonly ModelOption[];
  readonly notes: readonly string[];
}

/**
 * Modulation and its shift, which no tensor tells: what the user gives, else what the plan of an export or config.json says, else the
 * settings that the published results of hyena-small were made with (no modulation; shift 0, as everywhere in the training repository).
 * Throws UserError for other options and for values of the wrong type.
 */
export function chooseOptions(given: OptionOverrides, embedded: OptionOverrides | undefined, config: HyenaDnaConfig): HyenaOptions {
  refuseOtherOptions('Hyena', given, ['modulate', 'shift']);
  const from = { given, embedded };
  const modulate = chooseOption('modulate', { ...from, configured: config.modulateGiven ? config.modulate : undefined }, false, 'default of the published evaluation');
  const shift = chooseOption('shift', { ...from, configured: config.shift }, 0, 'default of the training code');
  if (typeof modulate.value !== 'boolean') {
    throw new UserError(`The option "modulate" must be true or false, not ${String(modulate.value)}.`);
  }
  if (typeof shift.value !== 'number' || !Number.isFinite(shift.value)) {
    throw new UserError(`The option "shift" must be a finite number, not ${String(shift.value)}.`, 'The training code uses 0.');
  }
  return {
    modulate: modulate.value,
    shift: shift.value,
    options: [modulate, shift],
    notes: [modulate.value
      ? `The filters are multiplied by their exponential window (${modulate.source}), to which a shift of ${shift.value} is added (${shift.source}); otherwise the filters and all results differ.`
      : `The filters are not multiplied by an exponential window (${modulate.source}); with one, the filters and all results differ.`],
  };
}
