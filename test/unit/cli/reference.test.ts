import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import type { ValidationReport } from '../../../extension/core/validation/report';
import { cli, GOLDEN, MODEL, run, SAMPLE, temporaryFolder } from './cli';
import { readTensor, relativeError, writeIds } from './tensors';

const REFERENCE = path.join(SAMPLE, 'reference.safetensors');
const TABLE_DATA = path.join(SAMPLE, 'ecoli-table.fa');
const reference = JSON.parse(fs.readFileSync(path.join(SAMPLE, 'reference.json'), 'utf8')) as { val_ppl: number };
const referenceMasks = JSON.parse(fs.readFileSync(path.join(SAMPLE, 'reference-masks.json'), 'utf8')) as {
  rows: { mask: string; kept: number; sites: { leak: number; filterError: number }[]; perplexity: number; perplexity_recausalised: number }[];
};

const fourDigits = (value: number): string => value.toPrecision(4);
const near = (actual: number, expected: number, tolerance: number): boolean => Math.abs(actual - expected) <= tolerance * Math.abs(expected);

describe('command line against the reference files', function () {
  this.timeout(300_000);
  const folder = temporaryFolder();
  after(() => fs.rmSync(folder, { recursive: true }));

  async function report(masks: string[], data: string): Promise<ValidationReport> {
    const plan = path.join(folder, 'p.surgery.json');
    await run('plan', MODEL, ...masks, '-o', plan);
    return JSON.parse(await run('validate', plan, '--data', data, '--json')) as ValidationReport;
  }

  it('forward: logits and per-token NLL of the sample', async () => {
    const [input, output] = [path.join(folder, 'ids.safetensors'), path.join(folder, 'logits.safetensors')];
    const { values: tokens } = await readTensor(REFERENCE, 'tokens');
    await writeIds(input, tokens.subarray(0, 1024));
    await run('forward', MODEL, '--input', input, '-o', output);
    const { shape, values } = await readTensor(output, 'logits');
    assert.deepEqual(shape, [1, 1024, 16]);
    assert.ok(relativeError(values, (await readTensor(REFERENCE, 'logits')).values) <= 1e-4);
    const { values: nll } = await readTensor(REFERENCE, 'nll');
    for (let t = 0; t < 1024; t++) {
      const row = values.subarray(16 * t, 16 * (t + 1));
      const actual = Math.log(row.reduce((sum, v) => sum + Math.exp(v), 0)) - row[tokens[t + 1]];
      assert.ok(Math.abs(actual - nll[t]) <= 1e-4, `position ${t}: ${actual}, reference ${nll[t]}`);
    }
  });

  it('forward: tokens that are none', async () => {
    const input = path.join(folder, 'none.safetensors');
    await writeIds(input, []);
    const { code, stderr } = await cli('forward', MODEL, '--input', input, '-o', path.join(folder, 'none-out.safetensors'));
    assert.equal(code, 1);
    assert.match(stderr, /has 1 rows of 0 samples, so there is nothing to run\. Give one row of one sample at least\./);
  });

  it('filters: the materialised filter of layer 0', async () => {
    const output = path.join(folder, 'k.safetensors');
    await run('filters', MODEL, '--site', 'layers.0.mixer', '-o', output);
    const { shape, values } = await readTensor(output, 'k');
    assert.deepEqual(shape, [128, 1026]);
    const { values: expected } = await readTensor(REFERENCE, 'filter0');
    const first = Float32Array.from(expected, (_, i) => values[Math.floor(i / 1024) * 1026 + (i % 1024)]);
    assert.ok(relativeError(first, expected) <= 1e-5);
  });

  it('validate: perplexity of the whole held-out part', async () => {
    const { dense, windows, masked } = await report(['--partial', '512'], path.join(SAMPLE, 'ecoli-validation.fa'));
    assert.equal(windows, 226);
    assert.equal(fourDigits(dense!.perplexity), fourDigits(reference.val_ppl));
    assert.ok(masked!.kl > 0);
  });

  // Every other row is checked without the command line in unit/validation/reference.test.ts.
  for (const row of referenceMasks.rows.filter(({ mask }) => mask === 'block:8.8.8:conjugate' || mask === 'block:16.16.8:gain')) {
    it(`validate: ${row.mask} as in the mask reference`, async () => {
      const [kind, value, symmetry] = row.mask.split(':');
      const option = kind === 'block' ? ['--blocks', value.replaceAll('.', ',')] : ['--lowpass', value];
      const { masked, recausalised, sites } = await report([...option, '--symmetry', symmetry], TABLE_DATA);
      assert.equal(fourDigits(masked!.perplexity), fourDigits(row.perplexity));
      assert.equal(fourDigits(recausalised!.perplexity), fourDigits(row.perplexity_recausalised));
      for (const [layer, expected] of row.sites.entries()) {
        const { leak, filterError, keptBins } = sites[layer];
        assert.equal(keptBins, row.kept);
        if (row.kept === 1) {
          assert.ok(leak < 1e-12 && filterError < 1e-6, `leak ${leak}, filter error ${filterError}`);
        } else {
          assert.ok(near(leak, expected.leak, 1e-3), `leak ${leak}, reference ${expected.leak}`);
          assert.ok(near(filterError, expected.filterError, 1e-3), `filter error ${filterError}, reference ${expected.filterError}`);
        }
      }
    });
  }

  for (const [name, shift, prefix] of [['hyenadna-hf-a', undefined, ''], ['hyenadna-lightning-a', undefined, ''], ['hyenadna-lightning-a', '0.05', 'shift005.']] as const) {
    for (const which of ['full', 'short']) {
      it(`forward: ${name}${shift ? ` with shift ${shift}` : ''}, ${which} input`, async () => {
        const golden = path.join(GOLDEN, name);
        const [input, output] = [path.join(folder, 'ids.safetensors'), path.join(folder, 'logits.safetensors')];
        await writeIds(input, (await readTensor(path.join(golden, 'expected.safetensors'), `${which}.input_ids`)).values);
        await run('forward', path.join(golden, 'model.safetensors'), '--input', input, '-o', output, ...(shift ? ['--set', `shift=${shift}`] : []));
        const expected = await readTensor(path.join(golden, prefix ? 'expected.safetensors' : 'expected_f64.safetensors'), `${prefix}${which}.logits`);
        assert.ok(relativeError((await readTensor(output, 'logits')).values, expected.values) <= 1e-4);
      });
    }
  }

  it('inspect: sites, parameters and options of the sample', async () => {
    const summary = JSON.parse(await run('inspect', MODEL, '--json')) as { family: string; parameters: number; sites: { id: string; channels: number; taps: number }[]; options: { name: string; value: number }[] };
    assert.equal(summary.family, 'hyenadna');
    assert.equal(summary.parameters, 436_096);
    assert.deepEqual(summary.sites.map(({ id, channels, taps }) => [id, channels, taps]), [['layers.0.mixer', 128, 1026], ['layers.1.mixer', 128, 1026]]);
    assert.deepEqual(summary.options.map(({ name, value }) => [name, value]), [['shift', 0.05]]);
  });

  it('exit codes: 0 done, 1 an error in one sentence, 2 wrong usage', async () => {
    assert.equal((await cli('--help')).code, 0);
    assert.equal((await cli('--version')).code, 0);
    const missing = await cli('inspect', path.join(folder, 'nowhere.safetensors'));
    assert.equal(missing.code, 1);
    assert.match(missing.stderr, /nowhere\.safetensors/);
    assert.doesNotMatch(missing.stderr, /\n\s+at /);
    for (const wrong of [['inspect'], ['nonsense'], ['plan', MODEL, '--lowpass', '2', '-o', 'x.surgery.json'], ['inspect', MODEL, '--frobnicate']]) {
      assert.equal((await cli(...wrong)).code, 2, wrong.join(' '));
    }
  });
});
