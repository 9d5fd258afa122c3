import { createWriteStream, readdirSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { format } from 'node:util';
import { build } from 'esbuild';
import { newRunFolder, sampleWorkspace, startEditor, type RunningEditor } from '../e2e/server/editor-server';
import { repositoryRoot } from '../e2e/server/installation';
import { Workbench } from '../e2e/server/workbench';

const RUN_TIMEOUT_MS = 5 * 60_000;
const bundles = path.join(repositoryRoot, 'out/integration');

/**
 * Runs test/integration/*.test.ts with mocha inside the extension host of a real VS Code, with this repository as the extension under development.
 * Usage: run.ts [RESULTS.json]; exit code 0 when all passed.
 */
async function main(results: string): Promise<boolean> {
  await bundleTests();
  const folder = await newRunFolder('integration');
  const transcript = path.join(folder, 'mocha.log');
  const editor = await startEditor({
    runFolder: folder,
    smokeTestDriver: true,
    environment: {
      LONGCONV_TEST_REPORTER: path.join(repositoryRoot, 'extension/tools/mocha-reporter.cjs'),
      LONGCONV_TEST_RESULTS: results,
      LONGCONV_TEST_TRANSCRIPT: transcript,
    },
  });
  try {
    return await runInExtensionHost(editor);
  } finally {
    await editor.stop();
    console.log(await readFile(transcript, 'utf8').catch(() => 'No test was run.'));
  }
}

async function runInExtensionHost(editor: RunningEditor): Promise<boolean> {
  let finish: (code: number | 'timeout') => void = () => undefined;
  const finished = new Promise<number | 'timeout'>((resolve) => { finish = resolve; });
  const remote = (file: string): string => `vscode-remote://${new URL(editor.origin).host}${encodeURI(file)}`;
  const log = createWriteStream(path.join(editor.runFolder, 'workbench.log'));
  const workbench = await Workbench.open(editor, await sampleWorkspace(editor.runFolder), {
    payload: [['extensionDevelopmentPath', remote(repositoryRoot)], ['extensionTestsPath', remote(path.join(bundles, 'index.js'))], ['skipWelcome', 'true']],
    // The two functions through which VS Code reports a test run to whoever drives the page.
    prepare: async (page) => {
      await page.exposeFunction('codeAutomationExit', (code: number) => finish(code));
      await page.exposeFunction('codeAutomationLog', (_type: string, values: unknown[]) => { log.write(`${format(...values)}\n`); });
    },
  });
  const timer = setTimeout(() => finish('timeout'), RUN_TIMEOUT_MS);
  const code = await finished;
  clearTimeout(timer);
  if (code !== 0) {
    console.error(code === 'timeout' ? `The tests inside the extension host did not end within ${RUN_TIMEOUT_MS / 60_000} minutes.` : `The extension host ended with code ${code}.`);
    console.error(`Screenshot: ${await workbench.screenshot('integration-failure')}; logs: ${editor.runFolder}`);
  }
  await workbench.close();
  return code === 0;
}

/** One bundle for each test file: mocha and vscode are found at run time. */
async function bundleTests(): Promise<void> {
  const folder = path.join(repositoryRoot, 'test/integration');
  const entries = ['index.ts', ...readdirSync(folder).filter((name) => name.endsWith('.test.ts'))];
  await rm(bundles, { recursive: true, force: true });
  await build({
    entryPoints: entries.map((name) => path.join(folder, name)),
    outdir: bundles,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    external: ['vscode', 'mocha'],
    sourcemap: 'inline',
    logLevel: 'warning',
  });
}

main(path.resolve(process.argv[2] ?? path.join(repositoryRoot, 'out/results/integration.json')))
  .then((passed) => { process.exitCode = passed ? 0 : 1; })
  .catch((error: unknown) => {
    console.error(error);
    process.exitCode = 1;
  });
