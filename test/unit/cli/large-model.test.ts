import * as assert from 'node:assert/strict';
import * as fs from 'node:fs/promises';
import type { ModelSummary } from '../../../extension/core/protocol/kernel-host';
import { openOnnx } from '../../../extension/core/formats/onnx/read';
import { EVO2_7B, evo2Tensors, writeSparseShards } from '../families/striped-files';
import { differingBytes, writeBigModel } from '../onnx/support/big-model';
import { temporaryFolder } from '../support/files';
import { notingPeakMemory, peaksNoted } from '../support/peak-memory';
import { cliWith, run } from './cli';

/** Runs a command; the memory of its two processes together stays below `most` bytes. */
async function cliWithin(most: number, folder: string, ...args: string[]): Promise<string> {
  await fs.mkdir(folder);
  const { code, stdout, stderr } = await cliWith(notingPeakMemory(folder), ...args);
  assert.equal(code, 0, stderr);
  const peaks = await peaksNoted(folder);
  assert.equal(peaks.length, 2, 'the command line and the kernel host');
  // Node alone takes 30 MB; less would mean that it was not measured.
  assert.ok(peaks.every((peak) => peak > 20e6) && peaks[0] + peaks[1] < most, `${peaks.map((peak) => (peak / 1e6).toFixed(0)).join(' and ')} MB`);
  return stdout;
}

describe('a model of 13 GB in several files', () => {
  const temporary = temporaryFolder();
  let index = '';
  before(async () => {
    await fs.mkdir(temporary.file('evo2'));
    const written = await writeSparseShards(temporary.file('evo2'), evo2Tensors(EVO2_7B), 5);
    assert.ok(written.bytes > 12.5e9 && written.bytes < 14e9, `${written.bytes} bytes`);
    index = written.index;
  });

  const inspect = (name: string, ...options: string[]): Promise<string> => cliWithin(200e6, temporary.file(name), 'inspect', index, ...options);

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

describe('an ONNX file of 280 MB', () => {
  const temporary = temporaryFolder();

  it('a masked export is written and verified in memory that does not grow with it, and changes just its tensor', async () => {
    const [source, plan, output] = ['big.onnx', 'plan.surgery.json', 'masked.onnx'].map((name) => temporary.file(name));
    writeBigModel(source, 280e6);
    await run('plan', source, '--partial', '8', '-o', plan);
    const text = await cliWithin(250e6, temporary.file('memory'), 'export', plan, '--format', 'onnx', '-o', output);
    assert.match(text, /Verified: re-read and its changed convolutions re-run \(all else is byte-identical\), results (within \d\.\de-[6-9] \(relative\)|identical)\./);
    const file = await openOnnx(source);
    const { start, end } = file.structure.graph.initializers.get('k')!.raw!;
    await file.close();
    const { first, last, extra } = differingBytes(source, output);
    assert.ok(first >= start && last < end, `bytes ${first} to ${last} differ`);
    assert.ok(extra > 0 && extra < 4096, 'only metadata follows');
  });
});
