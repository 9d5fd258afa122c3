import assert from 'node:assert/strict';
import * as vscode from 'vscode';

const folder = (): vscode.Uri => vscode.workspace.workspaceFolders![0].uri;
const file = (name: string): vscode.Uri => vscode.Uri.joinPath(folder(), name);

async function waitFor<T>(what: string, get: () => T | undefined): Promise<T> {
  for (let i = 0; i < 200; i++) {
    const value = get();
    if (value !== undefined) return value;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`Waited in vain for ${what}.`);
}

const customTab = (viewType: string): vscode.Tab | undefined =>
  vscode.window.tabGroups.all.flatMap((group) => group.tabs).find((tab) => tab.input instanceof vscode.TabInputCustom && tab.input.viewType === viewType);

describe('custom editors', () => {
  const plan = (): vscode.Uri => file('model.surgery.json');

  it('open a model in the viewer by default', async () => {
    await vscode.commands.executeCommand('vscode.open', file('model.safetensors'));
    await waitFor('the model viewer', () => customTab('longconvSurgeon.modelViewer'));
  });

  it('make a plan that names the model and its fingerprint, and open it in the plan editor', async () => {
    await vscode.commands.executeCommand('longconvSurgeon.newPlan', file('model.safetensors'));
    await waitFor('the plan editor', () => customTab('longconvSurgeon.planEditor'));
    const text = new TextDecoder().decode(await vscode.workspace.fs.readFile(plan()));
    const { model, sites } = JSON.parse(text) as { model: { path: string; fingerprint: string }; sites: unknown[] };
    assert.equal(model.path, 'model.safetensors');
    assert.match(model.fingerprint, /^sha256:[0-9a-f]{64}$/);
    assert.deepEqual(sites, []);
  });

  it('have a text document behind them: edit, undo and save are VS Code’s own, and undo is byte-identical', async () => {
    const document = await waitFor('the document', () => vscode.workspace.textDocuments.find((open) => open.uri.toString() === plan().toString()));
    const before = document.getText();
    const edit = new vscode.WorkspaceEdit();
    const at = before.indexOf('"sites": []');
    assert.ok(at > 0, before);
    edit.replace(plan(), new vscode.Range(document.positionAt(at), document.positionAt(at + '"sites": []'.length)),
      '"sites": [{ "site": "layers.0.mixer", "masks": [{ "partial": { "taps": 64 } }] }]');
    assert.ok(await vscode.workspace.applyEdit(edit));
    await waitFor('the tab to be dirty', () => (customTab('longconvSurgeon.planEditor')?.isDirty ? true : undefined));
    await vscode.commands.executeCommand('undo');
    await waitFor('the undo', () => (document.getText() === before ? true : undefined));
    await vscode.commands.executeCommand('redo');
    await waitFor('the redo', () => (document.getText() !== before ? true : undefined));
    await vscode.commands.executeCommand('undo');
    await waitFor('the second undo', () => (document.getText() === before ? true : undefined));
    assert.ok(await document.save());
    assert.equal(new TextDecoder().decode(await vscode.workspace.fs.readFile(plan())), before);
  });

  it('offer the schema to the JSON editor', async () => {
    const broken = file('broken.surgery.json');
    await vscode.workspace.fs.writeFile(broken, new TextEncoder().encode('{ "version": 1, "model": { "path": "x" }, "sites": [], "surprise": 1 }\n'));
    await vscode.commands.executeCommand('vscode.openWith', broken, 'default');
    const problems = await waitFor('problems from the schema', () => {
      const found = vscode.languages.getDiagnostics(broken);
      return found.length > 0 ? found : undefined;
    });
    assert.ok(problems.some(({ message }) => /surprise|family|fingerprint/.test(message)), problems.map(({ message }) => message).join('\n'));
  });
});
