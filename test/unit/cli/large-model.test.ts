import * as assert from 'node:assert/strict';
import * as fs from 'node:fs/promises';
import type { ModelSummary } from '../../../extension/core/protocol/kernel-host';
import { EVO2_7B, evo2Tensors, writeSparseShards } from '../families/striped-files';
import { temporaryFolder } from '../support/files';
import { notingPeakMemory, peaksNoted } from '../support/peak-memory';
import { cliWith } from './cli';

/** Of the command line and its kernel host together, in bytes. */
const MOST_MEMORY = 200e6;

describe('a model of 13 GB in several files', () => {
  const temporary = temporaryFolder();
  let index = '';
  before(async () => {
    await fs.mkdir(temporary.file('evo2'));
    const written = await writeSparseShards(temporary.file('evo2'), evo2Tensors(EVO2_7B), 5);
    assert.ok(written.bytes > 12.5e9 && written.bytes < 14e9, `${written.bytes} bytes`);
    index = written.index;
  });

  /** Runs `inspect`, both processes within MOST_MEMORY. */
  async function inspect(name: string, ...options: string[]): Promise<string> {
    const folder = temporary.file(name);
    await fs.mkdir(folder);
    const { code, stdout, stderr } = await cliWith(notingPeakMemory(folder), 'inspect', index, ...options);
    assert.equal(code, 0, stderr);
    const peaks = await peaksNoted(folder);
    const total = peaks.reduce((sum, peak) => sum + peak, 0);
    assert.equal(peaks.length, 2, 'the command line and the kernel host');
    // Node alone takes 30 MB; less would mean that it was not measured.
    assert.ok(peaks.every((peak) => peak > 20e6) && total < MOST_MEMORY, `${peaks.map((peak) => (peak / 1e6).toFixed(0)).join(' and ')} MB`);
    return stdout;
  }

  it('inspect lists its sites in less than 200 MB', async () => {
    const text = await inspect('text');
    assert.match(text, /^model\.safetensors\.index\.json: evo2, 6,4\d\d,\d{3},\d{3} parameters, 13\.\d GB$/m);
    assert.equal(text.match(/^blocks\.\d+\.filter /gm)?.length, 27);
  });

  it('inspect --json lists its sites and tensors in less than 200 MB', async () => {
    const { sites, tensors } = JSON.parse(await inspect('json', '--json')) as ModelSummary;
    assert.deepEqual(sites.slice(0, 3).map(({ id, channels, taps, storage }) => [id, channels, taps, storage]),
      [['blocks.0.filter', 4096, 7, 'explicit'], ['blocks.1.filter', 4096, 128, 'explicit'], ['blocks.2.filter', 4096, 8192, 'modal']]);
    assert.equal(sites.length, 27);
    assert.equal(tensors.length, evo2Tensors(EVO2_7B).length);
  });
});
