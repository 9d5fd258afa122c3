import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { newRunFolder, sampleWorkspace, startEditor, type RunningEditor } from './server/editor-server';
import { packagedExtension } from './server/extension-package';
import { repositoryRoot } from './server/installation';
import { Workbench } from './server/workbench';

interface Manifest { readonly contributes: { readonly commands: readonly { readonly title: string; readonly category: string }[] } }

const packageFile = <T>(name: string): T => JSON.parse(readFileSync(path.join(repositoryRoot, name), 'utf8')) as T;

describe('workbench with the packaged extension', function () {
  this.timeout(240_000);
  let editor: RunningEditor;
  let workbench: Workbench;

  before(async () => {
    editor = await startEditor({ runFolder: await newRunFolder('workbench'), vsix: packagedExtension() });
    workbench = await Workbench.open(editor, await sampleWorkspace(editor.runFolder));
  });
  after(async () => {
    await workbench?.close();
    await editor?.stop();
  });

  it('shows the sample folder and offers the commands in the palette', async () => {
    await workbench.explorerRow('model.safetensors').waitFor();
    const [{ title, category }] = packageFile<Manifest>('package.json').contributes.commands;
    const shown = packageFile<Record<string, string>>('package.nls.json')[title.slice(1, -1)];
    const entries = await workbench.paletteEntries(`${category}: ${shown}`);
    assert.ok(entries.some((entry) => entry.includes(shown)), `palette: ${entries.join(' | ')}`);
    await workbench.screenshot('workbench');
  });

  it('asks no host but its own server', () => {
    const foreign = [...workbench.requestedHosts].filter((host) => host !== new URL(editor.origin).host && !host.endsWith('.vscode-resource.vscode-cdn.net'));
    assert.deepEqual(foreign, []);
  });
});
