import * as assert from 'node:assert/strict';
import * as fs from 'node:fs/promises';
import type { ModelSummary } from '../../../extension/core/protocol/kernel-host';
import { EVO2_7B, evo2Tensors, writeSparseShards } from '../families/striped-files';
import { temporaryFolder } from '../support/files';
import { measuredCli } from './measured-cli';

describe('a model of 13 GB in several files', () => {
  const temporary = temporaryFolder();
  let index = '';
  before(async () => {
    await fs.mkdir(temporary.file('evo2'));
    const written = await writeSparseShards(temporary.file('evo2'), evo2Tensors(EVO2_7B), 5);
    assert.ok(written.bytes > 12.5e9 && written.bytes < 14e9, `${written.bytes} bytes`);
    index = written.index;
  });

  async function inspect(name: string, ...options: string[]): Promise<string> {
    const { stdout, peaks } = await measuredCli(temporary.file(name), 'inspect', index, ...options);
    assert.ok(peaks[0] + peaks[1] < 200e6, `${peaks.join(' and ')} bytes`);
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
