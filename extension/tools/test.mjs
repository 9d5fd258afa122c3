// npm test: build, lint, typecheck and every test suite, then one summary; exit code 1 if anything failed.
// With names it runs only those: `test.mjs unit native`. Ends with "N passed, N failed" over all suites.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { ensureDependencies, fail, root } from './repository.mjs';

const results = path.join(root, 'out/results');
const bin = (name) => path.join(root, 'node_modules', name);

function mocha(suite, folder, extra = []) {
  return {
    name: suite,
    isSuite: true,
    run: () => node([
      bin('mocha/bin/mocha.js'), ...extra, '--reporter', path.join(root, 'extension/tools/mocha-reporter.cjs'),
      '--reporter-option', `results=${resultFile(suite)}`, `${folder}/**/*.test.ts`,
    ]),
  };
}

const steps = [
  // One GPU architecture is enough to see that the CUDA kernels compile; packages are built for all.
  { name: 'build', run: () => node(['extension/tools/build.mjs'], { LONGCONV_CUDA_ARCHITECTURES: '90a-real', ...process.env }) },
  { name: 'lint', run: () => node([bin('eslint/bin/eslint.js'), '--max-warnings', '0', '.']) },
  { name: 'notices', run: () => node(['extension/tools/notices.mjs', '--check']) },
  ...['extension', 'webview', 'test'].map((room) => ({ name: `typecheck ${room}`, run: () => node([bin('typescript/bin/tsc'), '-p', `${room}/tsconfig.json`]) })),
  mocha('unit', 'test/unit', ['--parallel', '--jobs', '2']),
  mocha('native', 'test/native'),
  { name: 'integration', isSuite: true, run: () => node(['--import', 'tsx', 'test/integration/run.ts', resultFile('integration')]) },
  mocha('e2e', 'test/e2e'),
];

function node(args, env = process.env) {
  return spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit', env }).status === 0;
}

function resultFile(suite) {
  return path.join(results, `${suite}.json`);
}

function counts(step, ok) {
  if (!step.isSuite) {
    return { passed: 0, failed: ok ? 0 : 1, note: ok ? 'ok' : 'FAILED', failures: [] };
  }
  if (!existsSync(resultFile(step.name))) {
    return { passed: 0, failed: 1, note: 'FAILED: ended without results', failures: [] };
  }
  const { passed, failed, skipped, failures } = JSON.parse(readFileSync(resultFile(step.name), 'utf8'));
  const note = `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
  return ok || failed > 0 ? { passed, failed, note, failures } : { passed, failed: 1, note: `${note}; FAILED: did not end well`, failures };
}

function main(names) {
  const known = new Set(steps.map((step) => step.name));
  const unknown = names.filter((name) => !known.has(name));
  if (unknown.length > 0) {
    throw new Error(`No step is called "${unknown[0]}"; there are: ${[...known].join(', ')}.`);
  }
  ensureDependencies();
  const rows = [];
  for (const step of steps.filter((candidate) => names.length === 0 || names.includes(candidate.name))) {
    console.log(`\n== ${step.name}`);
    rmSync(resultFile(step.name), { force: true });
    const started = performance.now();
    const ok = step.run();
    rows.push({ name: step.name, seconds: (performance.now() - started) / 1000, ok, ...counts(step, ok) });
    if (step.name === 'build' && !ok) {
      break;
    }
  }
  console.log('\n== summary');
  for (const row of rows) {
    console.log(`${row.ok ? '  ' : '! '}${row.name.padEnd(20)} ${row.seconds.toFixed(1).padStart(7)} s   ${row.note}`);
    row.failures.forEach((failure) => console.log(`    - ${failure}`));
  }
  const sum = (key) => rows.reduce((total, row) => total + row[key], 0);
  console.log(`  ${'all'.padEnd(20)} ${sum('seconds').toFixed(1).padStart(7)} s\n`);
  console.log(`${sum('passed')} passed, ${sum('failed')} failed`);
  process.exitCode = rows.every((row) => row.ok) ? 0 : 1;
}

try {
  main(process.argv.slice(2));
} catch (error) {
  fail(error);
}
