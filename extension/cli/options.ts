import { InvalidArgumentError } from 'commander';
import type { OptionOverrides } from '../core/families/model';

/** Parsers of option values; a wrong value is wrong usage (exit 2). */
export function integer(minimum: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!Number.isSafeInteger(value) || value < minimum) throw new InvalidArgumentError(`a whole number of at least ${minimum} is needed.`);
    return value;
  };
}

export function fraction(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value > 0 && value <= 1)) throw new InvalidArgumentError('a number above 0 and at most 1 is needed.');
  return value;
}

export function integerList(text: string): number[] {
  return text.split(',').map((part) => integer(1)(part.trim()));
}

/** `0.5,0.25` */
export function fractionList(text: string): number[] {
  return text.split(',').map((part) => fraction(part.trim()));
}

/** `8,8,8;4,16,8`: patterns between semicolons, counts between commas or full stops. */
export function blockList(text: string): number[][] {
  return text.split(';').map((pattern) => integerList(pattern.trim().replaceAll('.', ',')));
}

/** `--set shift=0.05`, repeatable. */
export function setOption(text: string, previous: OptionOverrides = {}): OptionOverrides {
  const [, name, value] = /^([A-Za-z][\w.]*)=(.+)$/.exec(text) ?? [];
  const parsed = value === 'true' ? true : value === 'false' ? false : Number(value);
  if (name === undefined || (typeof parsed === 'number' && !Number.isFinite(parsed))) {
    throw new InvalidArgumentError('NAME=VALUE with a number, true or false is needed, e.g. shift=0.05.');
  }
  return { ...previous, [name]: parsed };
}

export const SET_HELP = 'model option that is not in the file, NAME=VALUE, e.g. shift=0.05; repeatable';
