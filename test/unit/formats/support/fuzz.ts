import * as assert from 'node:assert/strict';
import * as fs from 'node:fs';
import fc from 'fast-check';
import { UserError } from '../../../../extension/core/errors';
import { openTensorFile } from '../../../../extension/core/formats/open';
import { mutate, mutations } from './mutation';

/** How long each kind of file is mutated, in seconds, and where the random numbers start; a failure names the seed that repeats it. */
const SECONDS = Number(process.env.LONGCONV_FUZZ_SECONDS ?? 1.2);
const SEED = process.env.LONGCONV_FUZZ_SEED === undefined ? undefined : Number(process.env.LONGCONV_FUZZ_SEED);
/** Processor time of one file, in milliseconds: the clock also counts what else the machine is doing. */
const LONGEST = 2000;
const ALLOWANCE = 64 << 20;

export type Verdict = 'read' | 'refused';

/** Opens a file and reads the ends of its tensors. */
export async function readEnds(file: string): Promise<void> {
  const opened = await openTensorFile(file);
  try {
    for (const { name, byteLength, dtype } of opened.tensors.values()) {
      await opened.readBytes(name, 0, Math.min(byteLength, 100));
      await opened.readBytes(name, Math.max(0, byteLength - 100), byteLength);
      if (dtype === 'F32') await opened.readFloat32(name, 0, Math.min(1, byteLength / 4));
    }
  } finally {
    await opened.close();
  }
}

/** Reads a file, which must be read or refused in one sentence, in time and in memory. */
export async function survives(file: string, read: (file: string) => Promise<unknown> = readEnds): Promise<Verdict> {
  const { size } = fs.statSync(file);
  const memory = (): number => process.memoryUsage().heapUsed + process.memoryUsage().external;
  const [start, before] = [process.cpuUsage(), memory()];
  try {
    await read(file);
    return 'read';
  } catch (error) {
    assert.ok(error instanceof UserError, error instanceof Error ? error.stack : String(error));
    assert.match(error.message, /^[^\n]+\.$/);
    return 'refused';
  } finally {
    const { user, system } = process.cpuUsage(start);
    assert.ok((user + system) / 1000 < LONGEST, `${(user + system) / 1000} ms`);
    assert.ok(memory() - before < 2 * size + ALLOWANCE, `${memory() - before} bytes for a file of ${size}`);
  }
}

/** Mutates the files of a corpus for the time given; `check` says what becomes of one. */
export async function fuzz(corpus: readonly Buffer[], check: (bytes: Buffer) => Promise<Verdict>): Promise<void> {
  const verdicts = { read: 0, refused: 0 };
  // As they are, some are read: what follows does not just fail at the door.
  for (const bytes of corpus) verdicts[await check(bytes)]++;
  assert.ok(verdicts.read > 0, 'one of the corpus is read');
  await fc.assert(fc.asyncProperty(fc.constantFrom(...corpus), mutations, async (bytes, changes) => {
    verdicts[await check(mutate(bytes, changes))]++;
  }), { numRuns: 100_000_000, interruptAfterTimeLimit: 1000 * SECONDS, ...(SEED !== undefined && { seed: SEED }) });
  assert.ok(verdicts.refused > 0, 'some mutant is refused');
}
