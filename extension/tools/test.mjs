// npm test: build, lint, typecheck and every test suite, then one summary; exit code 1 if anything failed.
// With names it runs only those: `test.mjs unit native`. Ends with "N passed, N failed" over all suites.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { ensureDependencies, fail, root } from './repository.mjs';

const results = path.join(root, 'out/results');
const bin = (name) => path.join(root, 'node_modules', name);

function mocha(suite, folder, { patterns = [`${folder}/**/*.test.ts`], options = [] } = {}) {
  return {
    name: suite,
    isSuite: true,
    command: [
      bin('mocha/bin/mocha.js'), ...options, '--reporter', path.join(root, 'extension/tools/mocha-reporter.cjs'),
      '--reporter-option', `results=${resultFile(suite)}`, ...patterns,
    ],
  };
}

/** Steps of one line run at the same time, what they print in one piece. */
const stages = [
  // One GPU architecture is enough to see that the CUDA kernels compile; packages are built for all.
  [
    { name: 'build', command: ['extension/tools/build.mjs'], environment: { LONGCONV_CUDA_ARCHITECTURES: '90a-real', ...process.env } },
    { name: 'editor', command: ['--import', 'tsx', 'test/e2e/server/install.ts'] },
  ],
  [
    { name: 'lint', command: [bin('eslint/bin/eslint.js'), '--max-warnings', '0', '.'] },
    { name: 'notices', command: ['extension/tools/notices.mjs', '--check'] },
    ...['extension', 'webview', 'test'].map((room) => ({ name: `typecheck ${room}`, command: [bin('typescript/bin/tsc'), '-p', `${room}/tsconfig.json`] })),
  ],
  // The longest files first, so that no worker is left with one of them alone.
  [mocha('unit', 'test/unit', {
    patterns: ['test/unit/{cli,search,validation}/**/*.test.ts', 'test/unit/!(cli|search|validation)/**/*.test.ts'],
    options: ['--parallel', '--jobs', '2'],
  })],
  [
    mocha('native', 'test/native', { options: ['--parallel', '--jobs', '2'] }),
    { name: 'integration', isSuite: true, command: ['--import', 'tsx', 'test/integration/run.ts', resultFile('integration')] },
  ],
  [mocha('speed', 'test/speed')],
  [mocha('e2e', 'test/e2e')],
];

/** Runs one step; with `alone` its output comes as it is written. */
function run({ name, command, environment = process.env }, alone) {
  const started = performance.now();
  return new Promise((resolve, reject) => {
    if (alone) console.log(`\n== ${name}`);
    const child = spawn(process.execPath, command, { cwd: root, stdio: ['ignore', alone ? 'inherit' : 'pipe', alone ? 'inherit' : 'pipe'], env: environment });
    const output = [];
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (data) => output.push(data));
    child.once('error', reject);
    child.once('close', (code) => {
      if (!alone) process.stdout.write(`\n== ${name}\n${Buffer.concat(output).toString()}`);
      resolve({ seconds: (performance.now() - started) / 1000, ok: code === 0 });
    });
  });
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

async function main(names) {
  const known = stages.flat().map((step) => step.name);
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    throw new Error(`No step is called "${unknown[0]}"; there are: ${known.join(', ')}.`);
  }
  ensureDependencies();
  const started = performance.now();
  const rows = [];
  for (const stage of stages) {
    const steps = stage.filter(({ name }) => names.length === 0 || names.includes(name));
    steps.forEach(({ name }) => rmSync(resultFile(name), { force: true }));
    const outcomes = await Promise.all(steps.map((step) => run(step, steps.length === 1)));
    rows.push(...steps.map((step, i) => ({ name: step.name, ...outcomes[i], ...counts(step, outcomes[i].ok) })));
    if (rows[0]?.name === 'build' && !rows[0].ok) {
      break;
    }
  }
  console.log('\n== summary');
  for (const row of rows) {
    console.log(`${row.ok ? '  ' : '! '}${row.name.padEnd(20)} ${row.seconds.toFixed(1).padStart(7)} s   ${row.note}`);
    row.failures.forEach((failure) => console.log(`    - ${failure}`));
  }
  const sum = (key) => rows.reduce((total, row) => total + row[key], 0);
  console.log(`  ${'all'.padEnd(20)} ${((performance.now() - started) / 1000).toFixed(1).padStart(7)} s\n`);
  console.log(`${sum('passed')} passed, ${sum('failed')} failed`);
  process.exitCode = rows.every((row) => row.ok) ? 0 : 1;
}

main(process.argv.slice(2)).catch(fail);
