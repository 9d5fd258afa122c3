import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parsePlan } from '../../../extension/core/plan/read';
import type { SearchResult, SweepRow } from '../../../extension/core/protocol/search';
import { cli, MODEL, ROOT, run, SAMPLE, temporaryFolder } from '../cli/cli';

const TABLE_DATA = path.join(SAMPLE, 'ecoli-table.fa');
const reference = JSON.parse(fs.readFileSync(path.join(SAMPLE, 'reference-masks.json'), 'utf8')) as {
  dense: number; rows: { mask: string; perplexity: number; perplexity_recausalised: number; sites: { leak: number; filterError: number }[] }[];
};
const fourDigits = (value: number): string => value.toPrecision(4);

describe('sweep and search on the sample', function () {
  this.timeout(180_000);
  const folder = temporaryFolder();
  after(() => fs.rmSync(folder, { recursive: true }));

  it('sweep: rows as in the mask reference, with speeds', async () => {
    const rows = JSON.parse(await run('sweep', MODEL, '--data', TABLE_DATA, '--partial', '64', '--blocks', '8,8,8;4,16,8', '--json')) as SweepRow[];
    assert.deepEqual(rows.map(({ mask }) => mask), ['partial:64', 'block:8.8.8:conjugate', 'block:4.16.8:conjugate']);
    for (const row of rows.slice(1)) {
      const expected = reference.rows.find(({ mask }) => mask === row.mask)!;
      assert.equal(fourDigits(row.dense.perplexity), fourDigits(reference.dense));
      assert.equal(fourDigits(row.masked.perplexity), fourDigits(expected.perplexity));
      assert.equal(fourDigits(row.recausalised.perplexity), fourDigits(expected.perplexity_recausalised));
      assert.ok(Math.abs(row.leak / Math.max(...expected.sites.map(({ leak }) => leak)) - 1) < 1e-3);
    }
    assert.deepEqual(rows[0].masked, rows[0].recausalised, 'a cut in time leaks nothing');
    assert.ok(rows.every(({ speedup, convolutions }) => speedup > 0 && convolutions.dense_ms > 0));
    assert.ok(rows.some(({ pareto }) => pareto));
  });

  it('sweep: each site alone; one that was killed goes on where it ended', async () => {
    const report = path.join(folder, 'rows.json');
    const journal = `${report}.unfinished`;
    const args = ['sweep', MODEL, '--data', TABLE_DATA, '--partial', '32,8', '--each-site', '--windows', '2', '--json', report];
    const child = spawn(process.execPath, [path.join(ROOT, 'dist/cli.js'), ...args], { stdio: 'ignore' });
    while (child.exitCode === null && !fs.existsSync(journal)) await sleep(5);
    child.kill('SIGKILL');
    const kept = (JSON.parse(fs.readFileSync(journal, 'utf8')) as { rows: SweepRow[] }).rows;
    assert.ok(kept.length >= 1 && kept.length < 4 && !fs.existsSync(report), `${kept.length} rows were done`);
    const { code, stderr } = await cli(...args);
    assert.equal(code, 0, stderr);
    assert.match(stderr, /[123] of 4 rows are from the earlier, unfinished sweep/);
    const all = JSON.parse(fs.readFileSync(report, 'utf8')) as SweepRow[];
    assert.deepEqual(all.map(({ mask, sites }) => `${mask} ${sites}`), ['partial:32 layers.0.mixer', 'partial:32 layers.1.mixer', 'partial:8 layers.0.mixer', 'partial:8 layers.1.mixer']);
    assert.deepEqual(all[0].masked, kept[0].masked, 'a finished row is not run again');
    assert.ok(all.every(({ masked, dense }) => masked.nll !== dense.nll));
    assert.ok(!fs.existsSync(journal));
  });

  it('sweep: refuses settings that do not fit before it runs any', async () => {
    const { code, stderr } = await cli('sweep', MODEL, '--data', TABLE_DATA, '--partial', '64,5000', '--json');
    assert.equal(code, 1);
    assert.match(stderr, /5000 taps, but the filter of layers\.0\.mixer has only 1026/);
    assert.equal((await cli('sweep', MODEL, '--data', TABLE_DATA, '--lowpass', '0')).code, 2);
    assert.equal((await cli('search', MODEL, '--data', TABLE_DATA, '--budget', '-1', '-o', 'x.surgery.json')).code, 2);
  });

  it('search: a plan within the budget, validated, and faster', async () => {
    const [plan, json] = [path.join(folder, 'found.surgery.json'), path.join(folder, 'search.json')];
    await run('search', MODEL, '--data', TABLE_DATA, '--budget', '1', '--windows', '8', '-o', plan, '--json', json);
    const result = JSON.parse(fs.readFileSync(json, 'utf8')) as SearchResult;
    const { dense, masked, recausalised } = result.report;
    for (const quality of [masked!, recausalised!]) assert.ok(quality.perplexity / dense!.perplexity - 1 <= 0.01, `${quality.perplexity} against ${dense!.perplexity}`);
    assert.ok(result.change <= 1);
    assert.ok(result.speedup >= 1.5, `speed-up ${result.speedup}`);
    assert.ok(result.report.sites.length > 0);
    const parsed = parsePlan(fs.readFileSync(plan, 'utf8'));
    assert.ok('plan' in parsed);
    assert.deepEqual(parsed.plan, result.plan);
    assert.ok(result.tried.some(({ phase }) => phase === 'sensitivity') && result.tried.at(-1)!.phase === 'check');
  });
});
