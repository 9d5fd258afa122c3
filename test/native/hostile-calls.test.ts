import * as assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';

const SECONDS = Number(process.env.LONGCONV_FUZZ_SECONDS ?? 2.5);
const SEED = Number(process.env.LONGCONV_FUZZ_SEED ?? 1);
/** What the process may take beside the calls: start, and the last call. */
const GRACE_SECONDS = 60;

describe('random arguments of every function of the addon', () => {
  it('give a result or an Error, never a crash', function () {
    this.timeout(1000 * (SECONDS + 2 * GRACE_SECONDS));
    const folder = mkdtempSync(path.join(tmpdir(), 'longconv-calls-'));
    try {
      const calls = path.join(folder, 'call');
      const program = [path.join(__dirname, 'support/hostile-calls.ts'), String(SEED)];
      const { status, signal, stdout, stderr } = spawnSync(process.execPath, ['--expose-gc', '--import', 'tsx', ...program, '0', String(1000 * SECONDS), calls], {
        // Freed memory is overwritten, so that reading it shows.
        env: { ...process.env, MALLOC_PERTURB_: '165' }, encoding: 'utf8', timeout: 1000 * (SECONDS + GRACE_SECONDS),
      });
      const last = readFileSync(calls, 'utf8').trim();
      assert.equal(status, 0, `call ${last} of seed ${SEED} ended the process (${signal ?? `exit ${status}`}): node --expose-gc --import tsx ${path.relative(process.cwd(), program[0])} ${SEED} ${last} 1 /dev/null\n${stderr.slice(-2000)}`);
      const { results, errors } = JSON.parse(stdout) as { results: number; errors: number };
      assert.ok(results > 20 && errors > 20, `${results} results and ${errors} errors`);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
