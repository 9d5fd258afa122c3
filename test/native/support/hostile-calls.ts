// Random calls of the addon in a process of its own: a crash ends it, and the number of the call is in the file.
// Arguments: seed, first call, milliseconds, file. Needs --expose-gc. Prints the counts of results and errors.
import { closeSync, openSync, writeSync } from 'node:fs';
import * as path from 'node:path';
import { mulberry32 } from '../../../extension/core/validation/statistics';
import { callOnce, counts, loadAddon } from './addon-calls';

async function main([seed, first, milliseconds, file]: readonly string[]): Promise<void> {
  const addon = loadAddon(path.join(__dirname, '../../../dist/native/longconv.node'));
  const descriptor = openSync(file, 'w');
  const end = performance.now() + Number(milliseconds);
  for (let call = Number(first); performance.now() < end; call++) {
    writeSync(descriptor, String(call).padStart(12), 0);
    await callOnce(addon, mulberry32(Number(seed) * 1_000_003 + call));
    if (call % 50 === 0) (globalThis as unknown as { gc(): void }).gc();
  }
  closeSync(descriptor);
  process.stdout.write(JSON.stringify(counts));
}

void main(process.argv.slice(2));
