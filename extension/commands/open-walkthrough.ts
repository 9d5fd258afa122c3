import * as vscode from 'vscode';
import type { Command } from './index';

export const openWalkthrough: Command = async () => {
  await vscode.commands.executeCommand('workbench.action.openWalkthrough', 'longconv-surgeon.longconv-surgeon#longconvSurgeon.start', false);
};
