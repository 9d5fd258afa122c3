import * as assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { fingerprint } from '../../extension/core/formats/fingerprint';
import { openOnnx } from '../../extension/core/formats/onnx/read';
import { measuredCli } from '../unit/cli/measured-cli';
import { run } from '../unit/cli/cli';
import { EVO2_7B, evo2Tensors, writeSparse } from '../unit/families/striped-files';
import { differingBytes, writeBigModel } from '../unit/onnx/support/big-model';
import { temporaryFolder } from '../unit/support/files';

/** Files that only the test's own run has on its disk: sparse sources, and copies of several gigabytes that are removed at once. */
describe('exports of large files', function () {
  this.timeout(600_000);
  const temporary = temporaryFolder();

  async function exported(source: string, format: 'onnx' | 'safetensors', masks: readonly string[]): Promise<{ output: string; stdout: string; largest: number }> {
    const [plan, output] = [temporary.file(`${format}.surgery.json`), temporary.file(`exported.${format}`)];
    await run('plan', source, ...masks, '-o', plan);
    const { stdout, peaks } = await measuredCli(temporary.file(`memory-${format}-${masks.length}`), 'export', plan, '--format', format, '-o', output);
    return { output, stdout, largest: Math.max(...peaks) };
  }

  const writers = {
    onnx: (file: string): void => writeBigModel(file, 3e9),
    // Eight blocks of Evo 2.
    safetensors: async (file: string): Promise<void> => void (await writeSparse(file, evo2Tensors({ ...EVO2_7B, kinds: EVO2_7B.kinds.slice(0, 8) }))),
  };
  for (const format of ['onnx', 'safetensors'] as const) {
    it(`a plan without masks copies a 3 GB ${format} file byte for byte, in less than 150 MB`, async () => {
      const source = temporary.file(`large.${format}`);
      await writers[format](source);
      assert.ok(fs.statSync(source).size > 2.9e9, `${fs.statSync(source).size} bytes`);
      const { output, largest } = await exported(source, format, []);
      assert.equal(await fingerprint(output), await fingerprint(source));
      assert.ok(largest < 150e6, `${largest} bytes`);
      for (const file of [source, output]) fs.rmSync(file);
    });
  }

  it('a masked 2 GB ONNX file is written and verified in memory that does not grow with it, and only its tensor and metadata differ', async () => {
    const source = temporary.file('large.onnx');
    writeBigModel(source, 2e9);
    const { output, stdout, largest } = await exported(source, 'onnx', ['--partial', '8']);
    assert.match(stdout, /Verified: re-read and its changed convolutions re-run \(all else is byte-identical\), results (within \d\.\de-[6-9] \(relative\)|identical)\./);
    assert.ok(largest < 250e6, `${largest} bytes`);
    const file = await openOnnx(source);
    const { start, end } = file.structure.graph.initializers.get('k')!.raw!;
    await file.close();
    const { first, last, extra } = differingBytes(source, output);
    assert.ok(first >= start && last < end, `bytes ${first} to ${last} differ`);
    assert.ok(extra > 0 && extra < 4096, 'only metadata follows');
  });
});
