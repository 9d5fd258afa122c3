import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { formatPlan, readPlan } from '../../extension/core/plan/read';
import { mulberry32 } from '../../extension/core/validation/statistics';
import { changedPlan } from '../../extension/editors/plan-changes';
import { textChange } from '../../extension/editors/text-change';
import { randomEdit, SITES } from '../unit/support/random-plan-edits';

const EDITS = 1000;

describe('1,000 random edits in the editor', function () {
  this.timeout(300_000);

  it('are undone and redone byte for byte', async () => {
    const uri = vscode.Uri.joinPath(vscode.workspace.workspaceFolders![0].uri, 'fuzz.surgery.json');
    const plan = { version: 1 as const, model: { path: 'model.safetensors', family: 'hyenadna', fingerprint: `sha256:${'a'.repeat(64)}`, options: { shift: 0.05 } }, sites: [] };
    await vscode.workspace.fs.writeFile(uri, new TextEncoder().encode(formatPlan(plan)));
    await vscode.commands.executeCommand('vscode.openWith', uri, 'longconvSurgeon.planEditor');
    const document = await vscode.workspace.openTextDocument(uri);
    const original = document.getText();
    const random = mulberry32(3);
    let edits = 0;
    for (let i = 0; i < EDITS; i++) {
      const before = document.getText();
      const change = textChange(before, formatPlan(changedPlan(readPlan(before, uri.fsPath), randomEdit(random), SITES)));
      if (!change) continue;
      const edit = new vscode.WorkspaceEdit();
      edit.replace(uri, new vscode.Range(document.positionAt(change.start), document.positionAt(change.end)), change.text);
      assert.ok(await vscode.workspace.applyEdit(edit));
      edits++;
    }
    const end = document.getText();
    assert.ok(edits > 0.9 * EDITS && end !== original);
    await repeat('undo', document, original);
    await repeat('redo', document, end);
    await document.save();
    assert.equal(new TextDecoder().decode(await vscode.workspace.fs.readFile(uri)), end);
    await vscode.commands.executeCommand('workbench.action.closeActiveEditor');

    async function repeat(command: 'undo' | 'redo', of: vscode.TextDocument, until: string): Promise<void> {
      // The stack is longer than the edits only if something else changed the document, so the end state is what counts. Commands are done in the
      // order in which they are sent, so that it need not be waited for each.
      await Promise.all(Array.from({ length: edits }, () => vscode.commands.executeCommand(command)));
      for (let i = 0; i < 100 && of.getText() !== until; i++) await new Promise((resolve) => setTimeout(resolve, 50));
      assert.equal(of.getText(), until, `after ${edits} times ${command}`);
    }
  });
});
