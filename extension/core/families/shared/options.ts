import { UserError } from '../../errors';
import type { ModelOption, OptionOverrides } from '../model';

/** Where an option's value may come from, most important first. */
export interface OptionSources {
  /** What the user asks for. */
  readonly given: OptionOverrides;
  /** Options of the plan that an export carries: what its filters were validated with. */
  readonly embedded?: OptionOverrides;
  readonly configured?: number | boolean;
}

/** An option's value from the first source that has one, else the default, whose reason is `why`. */
export function chooseOption(name: string, { given, embedded, configured }: OptionSources, otherwise: number | boolean, why: string): ModelOption {
  if (given[name] !== undefined) {
    return { name, value: given[name], source: 'given by the user' };
  }
  if (embedded?.[name] !== undefined) {
    return { name, value: embedded[name], source: 'the plan in the file' };
  }
  return configured === undefined ? { name, value: otherwise, source: why } : { name, value: configured, source: 'config.json' };
}

/** Throws UserError for an option that the family does not have. */
export function refuseOtherOptions(family: string, given: OptionOverrides, known: readonly string[]): void {
  const unknown = Object.keys(given).find((name) => !known.includes(name));
  if (unknown !== undefined) {
    const hint = known.length === 0 ? 'It has none.' : `${known.length === 1 ? 'Its option is' : 'Its options are'} ${known.map((name) => `"${name}"`).join(' and ')}.`;
    throw new UserError(`A ${family} model has no option "${unknown}".`, hint);
  }
}

/** The value of an option that must be a whole number of at least 1. Throws UserError otherwise. */
export function wholeNumber({ name, value }: ModelOption): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 1) {
    throw new UserError(`The option "${name}" must be a whole number of at least 1, not ${String(value)}.`);
  }
  return value;
}
