import * as vscode from 'vscode';
import { ModelViewerProvider } from '../editors/model-viewer';
import type { Command } from './index';

/** Opens the model that comes with the extension. */
export const openSampleModel: Command = async ({ services }) => {
  await vscode.commands.executeCommand('vscode.openWith', services.sampleModel, ModelViewerProvider.viewType);
};
