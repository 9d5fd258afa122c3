// npm start: the extension in a real VS Code in the browser, on a folder with the sample model and a plan for it. Ctrl-C ends it.
import { spawn } from 'node:child_process';
import path from 'node:path';
import { ensureDependencies, fail, root, runScript } from './repository.mjs';

try {
  ensureDependencies();
  runScript('extension/tools/build.mjs');
  const editor = spawn(process.execPath, ['--import', 'tsx', path.join(root, 'test/e2e/server/open-in-browser.ts')], { cwd: root, stdio: 'inherit' });
  // Ctrl-C reaches the child too, which ends the editor and then itself.
  process.on('SIGINT', () => undefined);
  process.on('SIGTERM', () => editor.kill('SIGTERM'));
  editor.on('exit', (code) => { process.exitCode = code ?? 1; });
} catch (error) {
  fail(error);
}
