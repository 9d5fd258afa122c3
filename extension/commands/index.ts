import * as vscode from 'vscode';
import type { ModelViewerProvider } from '../editors/model-viewer';
import type { PlanEditorProvider } from '../editors/plan-editor';
import type { Services } from '../editors/services';
import { cancel } from './cancel';
import { compareWithCommitted, compareWithSaved } from './compare-plan';
import { exportPlan } from './export-plan';
import { newPlan } from './new-plan';
import { openModel } from './open-model';
import { openSampleModel } from './open-sample-model';
import { openWalkthrough } from './open-walkthrough';
import { restartKernelHost } from './restart-kernel-host';
import { showDevices } from './show-devices';
import { showLog } from './show-log';
import { findMask, sweep } from './show-view';
import { validatePlan } from './validate-plan';

/** What commands work with. */
export interface CommandContext {
  readonly services: Services;
  readonly viewers: ModelViewerProvider;
  readonly plans: PlanEditorProvider;
}

/** @param uri the file that a menu was opened on; absent from the palette. */
export type Command = (context: CommandContext, uri?: vscode.Uri) => Promise<void>;

const COMMANDS: Readonly<Record<string, Command>> = {
  openModel, openSampleModel, newPlan, validatePlan, sweep, findMask, compareWithSaved, compareWithCommitted, cancel, exportPlan, showDevices, restartKernelHost, showLog, openWalkthrough,
};

export function registerCommands(context: CommandContext): vscode.Disposable[] {
  return Object.entries(COMMANDS).map(([name, command]) => vscode.commands.registerCommand(`longconvSurgeon.${name}`, async (uri?: vscode.Uri) => {
    try {
      await command(context, uri instanceof vscode.Uri ? uri : undefined);
    } catch (error) {
      const failure = context.services.report(name, error);
      const chosen = await vscode.window.showErrorMessage(failure.hint ? `${failure.message} ${failure.hint}` : failure.message, vscode.l10n.t('Show Log'));
      if (chosen) context.services.log.show();
    }
  }));
}
