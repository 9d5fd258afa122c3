import * as assert from 'node:assert/strict';

/** One sentence for a person: one line with a full stop; it may start with the name of the argument (spec.channels) or with a number. */
export function assertSentence(message: string, what: string): void {
  assert.match(message, /^[\w"][^\n]{14,400}\.$/, `${what}: not a sentence: ${JSON.stringify(message)}`);
  assert.doesNotMatch(message, /undefined|\[object|std::|0x[0-9a-f]{6}|Assertion/, `${what}: not for people: ${JSON.stringify(message)}`);
}

/** The call must be refused, by rejecting or by throwing, with one sentence. */
export async function assertRefused(what: string, call: () => unknown): Promise<void> {
  let error: unknown;
  try {
    await call();
  } catch (thrown) {
    error = thrown;
  }
  assert.ok(error instanceof Error, `${what} was not refused`);
  assertSentence(error.message, what);
}

/** Takes the memory away from a typed array, as a transfer to a worker does. */
export function detach<T extends Float32Array | Float64Array | Uint8Array>(values: T): T {
  structuredClone(values.buffer, { transfer: [values.buffer as ArrayBuffer] });
  return values;
}

/** Calls whose argument types are deliberately wrong. */
export const wrong = (value: unknown): never => value as never;

/** Sizes that no call may take. */
export const BAD_SIZES: readonly unknown[] = [0, -1, 1.5, NaN, Infinity, -Infinity, 2 ** 31, 2 ** 53, 2 ** 63, 1e300, '8', null, undefined, {}, [4], true];
