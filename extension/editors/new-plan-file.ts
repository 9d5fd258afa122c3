import * as path from 'node:path';
import * as vscode from 'vscode';

/** Writes a plan beside another, under a name that is free (`model.partial-64.surgery.json`), and opens it. */
export async function newPlanBeside(plan: vscode.Uri, label: string, text: string): Promise<void> {
  const stem = path.posix.basename(plan.path).replace(/\.surgery\.json$|\.json$/, '');
  const name = `${stem}.${label.replace(/[^\w.]+/g, '-')}`;
  for (let n = 1; ; n++) {
    const target = vscode.Uri.joinPath(plan, '..', `${name}${n > 1 ? `-${n}` : ''}.surgery.json`);
    if (await exists(target)) continue;
    await vscode.workspace.fs.writeFile(target, new TextEncoder().encode(text));
    await vscode.commands.executeCommand('vscode.openWith', target, 'longconvSurgeon.planEditor');
    return;
  }
}

export async function exists(uri: vscode.Uri): Promise<boolean> {
  try {
    await vscode.workspace.fs.stat(uri);
    return true;
  } catch (error) {
    if (error instanceof vscode.FileSystemError && error.code === 'FileNotFound') return false;
    throw error;
  }
}
