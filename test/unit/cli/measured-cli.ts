import * as assert from 'node:assert/strict';
import * as fs from 'node:fs/promises';
import { notingPeakMemory, peaksNoted } from '../support/peak-memory';
import { cliWith } from './cli';

/** Runs a command, which must succeed; `peaks`: most resident memory of the command line and of the kernel host, in bytes. `folder` is made. */
export async function measuredCli(folder: string, ...args: string[]): Promise<{ stdout: string; peaks: readonly number[] }> {
  await fs.mkdir(folder);
  const { code, stdout, stderr } = await cliWith(notingPeakMemory(folder), ...args);
  assert.equal(code, 0, stderr);
  const peaks = await peaksNoted(folder);
  assert.equal(peaks.length, 2, 'the command line and the kernel host');
  // Node alone takes 30 MB; less would mean that it was not measured.
  assert.ok(peaks.every((peak) => peak > 20e6), `${peaks.join(' and ')} bytes`);
  return { stdout, peaks };
}
