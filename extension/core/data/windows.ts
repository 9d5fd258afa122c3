import { UserError } from '../errors';
import type { TokenData, TokenWindow } from './data';

export type { TokenWindow } from './data';

/**
 * Cuts each record into non-overlapping windows of `length` inputs from its start; what does not fill a window (and the token after
 * it, its last target) is dropped. Throws UserError when there is no complete window.
 */
export function windows(data: TokenData, length: number): TokenWindow[] {
  if (!Number.isSafeInteger(length) || length < 1) {
    throw new UserError(`The window length must be a whole number above 0, not ${length}.`);
  }
  const found: TokenWindow[] = [];
  for (const { name, tokens } of data.records) {
    for (let start = 0; start + length < tokens.length; start += length) {
      found.push({ record: name, start, inputs: tokens.subarray(start, start + length), targets: tokens.subarray(start + 1, start + length + 1) });
    }
  }
  if (found.length === 0) {
    const longest = data.records.reduce((most, { tokens }) => Math.max(most, tokens.length), 0);
    const records = data.records.length === 1 ? 'its record has' : `the longest of its ${data.records.length} records has`;
    throw new UserError(
      `${data.path} has no complete window of ${length} tokens: that takes ${length + 1} tokens with the last target, and ${records} ${longest}.`,
      longest > 1 ? `Give more data, or a window length of at most ${longest - 1}.` : 'Give more data.');
  }
  return found;
}
