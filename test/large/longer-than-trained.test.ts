import * as assert from 'node:assert/strict';
import * as fs from 'node:fs/promises';
import { writeSafetensors } from '../../extension/core/formats/safetensors/write';
import { mulberry32 } from '../../extension/core/validation/statistics';
import type { ValidationReport } from '../../extension/core/validation/report';
import { temporaryFolder } from '../unit/support/files';
import { MODEL, run } from '../unit/cli/cli';
import { measuredCli } from '../unit/cli/measured-cli';

/** What the sample model was trained on. */
const TRAINED = 1024;
const BASES = 'ACGT';
/** Ids of A, C, G and T. */
const FIRST_BASE = 7;

describe('a cut model on inputs longer than it was trained on', () => {
  const temporary = temporaryFolder();
  const plan = (): string => temporary.file('plan.surgery.json');
  before(() => run('plan', MODEL, '--partial', '64', '-o', plan()));

  const bases = (count: number): Int32Array => {
    const random = mulberry32(3);
    return Int32Array.from({ length: count }, () => Math.floor(4 * random()));
  };

  /** Most resident memory of both processes while a command runs, in bytes. */
  async function peak(name: string, ...args: string[]): Promise<number> {
    const { peaks } = await measuredCli(temporary.file(name), ...args);
    return peaks.reduce((a, b) => a + b);
  }

  it('validate: a window of 32 times the trained length takes 32 MB more than one of 4 times at most', async () => {
    const peaks: number[] = [];
    for (const length of [4 * TRAINED, 32 * TRAINED]) {
      const data = await temporary.write(`${length}.fa`, `>random\n${Array.from(bases(length + 1), (base) => BASES[base]).join('')}\n`);
      const json = temporary.file(`${length}.json`);
      peaks.push(await peak(`memory-${length}`, 'validate', plan(), '--data', data, '--length', String(length), '--json', json));
      const report = JSON.parse(await fs.readFile(json, 'utf8')) as ValidationReport;
      assert.deepEqual([report.length, report.masked?.tokens], [length, length]);
      // Random bases: two bits each.
      assert.ok(Math.abs(report.masked!.bitsPerToken - 2) < 0.1, `${report.masked!.bitsPerToken} bits`);
    }
    const [short, long] = peaks;
    // A single run takes 34 kB a token: 1 GB for 32,768 of them.
    assert.ok(long - short < 32e6, `${short} bytes at 4 times the trained length, ${long} at 32 times`);
  });

  it('forward: 64 times the trained length take 128 MB more than 32 times at most, beside input and output', async () => {
    const measured: { peak: number; files: number }[] = [];
    for (const length of [32 * TRAINED, 64 * TRAINED]) {
      const [input, output] = [temporary.file(`${length}.safetensors`), temporary.file(`${length}.logits.safetensors`)];
      const ids = bases(length).map((base) => FIRST_BASE + base);
      await writeSafetensors(input, [{ name: 'input_ids', dtype: 'I32', shape: [1, length], data: new Uint8Array(ids.buffer) }]);
      const most = await peak(`forward-${length}`, 'forward', plan(), '--input', input, '-o', output);
      const { size } = await fs.stat(output);
      assert.ok(size > 4 * 16 * length);
      measured.push({ peak: most, files: (await fs.stat(input)).size + size });
    }
    const [short, long] = measured;
    // Windows of 16,384 tokens and their history; the whole at once would take 1 GB more.
    assert.ok(long.peak - short.peak < 128e6 + long.files - short.files, `${short.peak} bytes at 32 times the trained length, ${long.peak} at 64 times`);
  });
});
