import * as vscode from 'vscode';
import type { Command } from './index';

/** Cancels the running validation or export by ending its kernel host. */
export const cancel: Command = async ({ services }) => {
  const cancelled = services.cancelJob();
  if (!cancelled) await vscode.window.showInformationMessage('Nothing is running.');
};
