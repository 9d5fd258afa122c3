import * as vscode from 'vscode';
import { registerCommands } from './commands';
import { registerLanguageModelTools } from './editors/language-model-tools';
import { ModelViewerProvider } from './editors/model-viewer';
import { PlanEditorProvider } from './editors/plan-editor';
import { Services } from './editors/services';

/** Registers the editors and the commands; no process is started until a model is opened. */
export function activate(context: vscode.ExtensionContext): void {
  const services = new Services(context);
  const viewers = new ModelViewerProvider(services);
  const plans = new PlanEditorProvider(services);
  context.subscriptions.push(
    services,
    ...[ModelViewerProvider.viewType, ModelViewerProvider.optionalViewType].map(type => vscode.window.registerCustomEditorProvider(type, viewers, { supportsMultipleEditorsPerDocument: true })),
    vscode.window.registerCustomEditorProvider(PlanEditorProvider.viewType, plans, { supportsMultipleEditorsPerDocument: true }),
    ...registerLanguageModelTools(services),
    ...registerCommands({ services, viewers, plans }),
  );
}
