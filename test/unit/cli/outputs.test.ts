import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { cli, type CliResult, ROOT, run, SAMPLE, temporaryFolder } from './cli';
import { writeIds } from './tensors';

describe('what a command is told to write', function () {
  this.timeout(120_000);
  const folder = temporaryFolder();
  const file = (...names: string[]): string => path.join(folder, ...names);
  const MODEL = file('real', 'model.safetensors');
  const CONFIG = file('real', 'config.json');
  /** The same folder by another path. */
  const LINKED = file('linked', 'model.safetensors');
  const PLAN = file('p.surgery.json');
  const [IDS, DATA] = [file('ids.safetensors'), file('data.fa')];

  before(async () => {
    fs.mkdirSync(file('real'));
    for (const name of ['model.safetensors', 'config.json']) fs.copyFileSync(path.join(SAMPLE, name), file('real', name));
    fs.symlinkSync('real', file('linked'), 'junction');
    fs.writeFileSync(DATA, `>one\n${'ACGTTGCAAC'.repeat(300)}\n`);
    await writeIds(IDS, Float32Array.from({ length: 64 }, (_, i) => 7 + (i % 4)));
    await run('plan', MODEL, '--partial', '64', '-o', PLAN);
  });
  after(() => fs.rmSync(folder, { recursive: true }));

  const search = ['search', MODEL, '--data', DATA, '--budget', '1'];
  const cases: Readonly<Record<string, () => readonly [string, string[]]>> = {
    'plan, the model': () => [MODEL, ['plan', MODEL, '--partial', '64', '-o', MODEL]],
    'plan, the model of a folder by a link': () => [MODEL, ['plan', file('real'), '--partial', '64', '-o', LINKED]],
    'plan, the configuration': () => [CONFIG, ['plan', MODEL, '--partial', '64', '-o', CONFIG]],
    'filters, the model': () => [MODEL, ['filters', MODEL, '--site', 'layers.0.mixer', '-o', MODEL]],
    'forward, the input': () => [IDS, ['forward', MODEL, '--input', IDS, '-o', IDS]],
    'forward, the model of a plan': () => [MODEL, ['forward', PLAN, '--input', IDS, '-o', MODEL]],
    'forward, the plan': () => [PLAN, ['forward', PLAN, '--input', IDS, '-o', PLAN]],
    'validate, the plan': () => [PLAN, ['validate', PLAN, '--data', DATA, '--json', PLAN]],
    'validate, the data': () => [DATA, ['validate', PLAN, '--data', DATA, '--json', DATA]],
    'sweep, the data': () => [DATA, ['sweep', MODEL, '--data', DATA, '--partial', '64', '--json', DATA]],
    'search, the model': () => [MODEL, [...search, '-o', MODEL]],
    'search, the data': () => [DATA, [...search, '-o', file('found.surgery.json'), '--json', DATA]],
    'export, the model by a link': () => [MODEL, ['export', PLAN, '--format', 'safetensors', '-o', LINKED]],
    'export, the plan': () => [PLAN, ['export', PLAN, '--format', 'onnx', '-o', PLAN]],
  };
  for (const [name, of] of Object.entries(cases)) {
    it(`is not a file that it reads: ${name}`, async () => {
      const [target, args] = of();
      const before = fs.readFileSync(target);
      const { code, stdout, stderr } = await cli(...args);
      assert.deepEqual([code, stdout], [1, '']);
      assert.match(stderr, /never written in place\. Choose another file name/);
      assert.ok(fs.readFileSync(target).equals(before));
    });
  }

  /** What a user mistakes for a file to write, and what he is told. */
  const unwritable = [
    [file('real'), /Cannot write \S*real: it is a folder\. Give a file name\./],
    [file('none', 'x'), /Cannot write \S*x: its folder does not exist\. Create the folder or choose another\./],
    [file('ids.safetensors', 'x'), /Cannot write \S*x: its folder is a file\. Choose another folder\./],
    [file('x'.repeat(256)), /Cannot write \S*x: its name is too long\. Choose a shorter name\./],
    // Its temporary name is too long.
    [file('x'.repeat(250)), /Cannot write \S*x(\.unverified)?: its name is too long\. Choose a shorter name\./],
  ] as const;
  for (const [output, told] of unwritable) {
    const commands: Readonly<Record<string, string[]>> = {
      'plan': ['plan', MODEL, '--partial', '64', '-o', output],
      'safetensors': ['export', PLAN, '--format', 'safetensors', '-o', output],
      'ONNX': ['export', PLAN, '--format', 'onnx', '-o', output],
    };
    for (const [name, args] of Object.entries(commands)) {
      it(`is a file that can be written: ${name}, ${path.relative(folder, output).slice(0, 20)}, ${path.basename(output).length} characters`, async () => {
        const before = fs.readdirSync(folder);
        const { code, stderr } = await cli(...args);
        assert.equal(code, 1);
        assert.match(stderr, told);
        assert.deepEqual(fs.readdirSync(folder), before);
      });
    }
  }

  it('can be written before the work is done', async () => {
    const { code, stderr } = await cli(...search, '-o', file('none', 'p.surgery.json'));
    assert.equal(code, 1);
    assert.match(stderr, /its folder does not exist/);
    assert.doesNotMatch(stderr, /%.*(layers|windows)/);
  });

  const shell = (line: string): Promise<CliResult> => new Promise((resolve) => {
    execFile('sh', ['-c', line, process.execPath, path.join(ROOT, 'dist/cli.js'), MODEL], (error, stdout, stderr) => resolve({ code: error ? Number(error.code) : 0, stdout, stderr }));
  });

  it('ends without a word where the reader of the standard output has had enough', async () => {
    assert.equal((await shell('{ "$0" "$1" inspect "$2" --json; } | true')).stderr, '');
  });

  // Only Linux has a device that is a full disk.
  if (fs.existsSync('/dev/full')) {
    it('is not the standard output of a full disk', async () => {
      const { code, stderr } = await shell('"$0" "$1" inspect "$2" --json > /dev/full');
      assert.deepEqual([code, stderr], [1, 'longconv-surgeon: Cannot write the standard output: the disk is full. Free some space or choose another disk.\n']);
    });
  }

  it('is written over where it is another file', async () => {
    await run('plan', MODEL, '--partial', '32', '-o', PLAN);
    assert.match(fs.readFileSync(PLAN, 'utf8'), /"taps": 32/);
  });
});
