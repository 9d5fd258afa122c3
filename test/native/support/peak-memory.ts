// One convolution in a process of its own: a MemoryQuestion as JSON on the standard input, a MemoryAnswer on the standard output. Linux only.
import { readFileSync, writeFileSync } from 'node:fs';
import type { ConvolutionSpec } from '../../../extension/core/engine/engine';
import { noise } from '../../unit/graph/support/measure';
import { engine } from './engine';

function resident(which: 'VmRSS' | 'VmHWM'): number {
  return 1024 * Number(new RegExp(`${which}:\\s+(\\d+) kB`).exec(readFileSync('/proc/self/status', 'utf8'))![1]);
}

export interface MemoryQuestion {
  readonly spec: ConvolutionSpec;
  /** spec.grid.kept, which JSON has no type for. */
  readonly kept?: readonly number[];
  readonly batch: number;
  readonly length: number;
  readonly threads: number;
}
export interface MemoryAnswer {
  readonly algorithm: string;
  /** Bytes by which resident memory had grown at most since the filter, the input and the output were there. */
  readonly grown: number;
  /** Bytes that were prepared. */
  readonly prepared: number;
}

async function answer({ spec, kept, batch, length, threads }: MemoryQuestion): Promise<MemoryAnswer> {
  const filter = noise(spec.channels * spec.filterLength, 1);
  const input = noise(batch * spec.channels * length, 2);
  const output = new Float32Array(input.length).fill(1);
  // Sets the high-water mark back to what is resident now.
  writeFileSync('/proc/self/clear_refs', '5');
  const before = resident('VmRSS');
  const prepared = await engine.prepare(kept ? { ...spec, grid: { ...spec.grid!, kept: Uint8Array.from(kept) } } : spec, filter);
  await prepared.run({ input, output, batch, length, threads });
  const grown = resident('VmHWM') - before;
  const { algorithm, preparedBytes } = prepared.prediction;
  prepared.free();
  return { algorithm, grown, prepared: preparedBytes };
}

if (require.main === module) {
  void answer(JSON.parse(readFileSync(0, 'utf8')) as MemoryQuestion).then((measured) => process.stdout.write(JSON.stringify(measured)));
}
