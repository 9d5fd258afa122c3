import * as vscode from 'vscode';
import { ModelViewerProvider } from '../editors/model-viewer';
import type { Command } from './index';

/** Opens a model file in the viewer: the one of the menu, or one that the user picks. */
export const openModel: Command = async (_context, uri) => {
  const model = uri ?? await pickModel();
  if (model) await vscode.commands.executeCommand('vscode.openWith', model, ModelViewerProvider.viewType);
};

export async function pickModel(): Promise<vscode.Uri | undefined> {
  const [chosen] = await vscode.window.showOpenDialog({ title: 'Open a model', openLabel: 'Open', filters: { Models: ['safetensors', 'onnx', 'ckpt', 'pt', 'pth', 'bin', 'index.json'], 'All files': ['*'] } }) ?? [];
  return chosen;
}
