import { execFileSync, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { newRunFolder, sampleWorkspace, startEditor } from './editor-server';
import { packagedExtension } from './extension-package';
import { repositoryRoot } from './installation';

/** `npm start` after the build: the packaged extension in a VS Code server, opened in the user's browser until Ctrl-C. */
async function main(): Promise<void> {
  const workspace = path.join(repositoryRoot, 'out/start/workspace');
  if (!existsSync(workspace)) {
    await sampleWorkspace(path.dirname(workspace));
    execFileSync(process.execPath, [
      path.join(repositoryRoot, 'dist/cli.js'), 'plan', path.join(workspace, 'model.safetensors'), '--lowpass', '0.5', '--partial', '256',
      '-o', path.join(workspace, 'example.surgery.json'),
    ], { stdio: ['ignore', 'ignore', 'inherit'] });
  }
  const editor = await startEditor({ runFolder: await newRunFolder('start'), vsix: packagedExtension() });
  const url = `${editor.origin}/?folder=${encodeURIComponent(workspace)}`;
  console.log(`\nLong-Conv Surgeon is running in VS Code:\n\n  ${url}\n`);
  console.log('Open example.surgery.json (the plan), or model.safetensors with "Reopen Editor With ... > Long-Conv Model".');
  console.log(`The folder is a copy that you may change: ${workspace}\nCtrl-C ends the editor.`);
  showInBrowser(url);
  await new Promise<void>((resolve) => {
    process.once('SIGINT', resolve);
    process.once('SIGTERM', resolve);
  });
  await editor.stop();
}

function showInBrowser(url: string): void {
  const opener = spawn(process.platform === 'darwin' ? 'open' : 'xdg-open', [url], { stdio: 'ignore', detached: true });
  opener.on('error', () => console.log('(No program to open a browser with was found: open the address yourself.)'));
  opener.unref();
}

main().then(() => process.exit(0), (error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
});
