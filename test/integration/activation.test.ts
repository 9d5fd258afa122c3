import assert from 'node:assert/strict';
import * as vscode from 'vscode';

interface Manifest { readonly contributes: { readonly commands: readonly { readonly command: string }[] } }

describe('activation', () => {
  it('costs nothing before it is used', () => {
    const extension = vscode.extensions.getExtension<unknown>('longconv-surgeon.longconv-surgeon')!;
    assert.equal(extension.isActive, false, 'a folder is open, with models in it, but none of them');
  });

  it('registers every command that package.json contributes', async () => {
    const extension = vscode.extensions.getExtension<unknown>('longconv-surgeon.longconv-surgeon');
    assert.ok(extension, 'the extension is not installed in this editor');
    await extension.activate();
    const contributed = (extension.packageJSON as Manifest).contributes.commands.map(({ command }) => command);
    const registered = new Set(await vscode.commands.getCommands(true));
    assert.ok(contributed.length > 0);
    assert.deepEqual(contributed.filter((command) => !registered.has(command)), []);
  });
});
