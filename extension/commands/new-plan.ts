import * as path from 'node:path';
import * as vscode from 'vscode';
import { UserError } from '../core/errors';
import { formatPlan } from '../core/plan/read';
import { localPath } from '../editors/local-file';
import { exists } from '../editors/new-plan-file';
import { PlanEditorProvider } from '../editors/plan-editor';
import type { Services } from '../editors/services';
import type { Command } from './index';
import { pickModel } from './open-model';

/** Writes a plan that masks nothing yet, `<model>.surgery.json` beside the model, and opens it. */
export const newPlan: Command = async ({ services, viewers }, uri) => {
  const model = uri ?? viewers.activeModel ?? await pickModel();
  if (!model) return;
  const target = await choosePlanFile(services, model);
  if (!target) return;
  if (!target.exists) {
    const plan = await vscode.window.withProgress({ location: vscode.ProgressLocation.Window, title: 'Making a surgery plan' },
      () => services.interactive.call('makePlan', { model: localPath(model), planPath: localPath(target.uri) }));
    await vscode.workspace.fs.writeFile(target.uri, new TextEncoder().encode(formatPlan(plan)));
  }
  await vscode.commands.executeCommand('vscode.openWith', target.uri, PlanEditorProvider.viewType);
};

interface PlanFile { readonly uri: vscode.Uri; readonly exists: boolean }

/** Beside the model; in the workspace for the bundled sample, whose folder is the extension's. An existing plan is never replaced. */
async function choosePlanFile(services: Services, model: vscode.Uri): Promise<PlanFile | undefined> {
  const bundled = model.path === services.sampleModel.path;
  const folder = bundled ? vscode.workspace.workspaceFolders?.[0]?.uri : vscode.Uri.joinPath(model, '..');
  const stem = bundled ? path.posix.basename(path.posix.dirname(model.path)) : path.basename(model.path).replace(/\.(safetensors|ckpt|pt|pth|bin)(\.index\.json)?$/, '');
  if (!folder) return saveAs(vscode.Uri.file(`${stem}.surgery.json`));
  const proposed = vscode.Uri.joinPath(folder, `${stem}.surgery.json`);
  if (!await exists(proposed)) return { uri: proposed, exists: false };
  const open = 'Open It';
  const another = 'New Plan As …';
  const answer = await vscode.window.showInformationMessage(`${path.basename(proposed.path)} exists already.`, open, another);
  if (answer === open) return { uri: proposed, exists: true };
  return answer === another ? saveAs(proposed) : undefined;
}

async function saveAs(proposed: vscode.Uri): Promise<PlanFile | undefined> {
  const uri = await vscode.window.showSaveDialog({ title: 'New surgery plan', saveLabel: 'Create', defaultUri: proposed, filters: { 'Surgery plans': ['surgery.json'] } });
  if (uri && !uri.path.endsWith('.surgery.json')) {
    throw new UserError(`${path.basename(uri.path)} would not open as a plan: its name has to end in .surgery.json.`, 'Choose such a name.');
  }
  return uri && { uri, exists: false };
}
