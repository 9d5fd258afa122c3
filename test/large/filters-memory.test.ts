import * as assert from 'node:assert/strict';
import * as fs from 'node:fs/promises';
import { temporaryFolder } from '../unit/support/files';
import { writeImageModel } from '../unit/support/image-models';
import { measuredCli } from '../unit/cli/measured-cli';

const TAPS = 131_072;

describe('filters of a site, written by the command line', () => {
  const temporary = temporaryFolder();
  it('256 filters of 131,072 taps, 134 MB, take 32 MB more than 128 of them at most', async () => {
    const peaks: number[] = [];
    for (const width of [128, 256]) {
      const { model } = await writeImageModel('s4', temporary.file(`s4-${width}`), { pixels: TAPS, width, layers: 1, states: 16 });
      const output = temporary.file(`${width}.safetensors`);
      peaks.push(Math.max(...(await measuredCli(temporary.file(`noted-${width}`), 'filters', model, '--site', 's4_layers.0', '-o', output)).peaks));
      assert.ok((await fs.stat(output)).size > 4 * width * TAPS);
    }
    // Pieces of 32 MB, one of which is made while another is written.
    assert.ok(peaks[1] - peaks[0] < 32e6, `${peaks.join(' and ')} bytes`);
  });
});
