import * as path from 'node:path';
import * as vscode from 'vscode';
import type { ModelViewerApi, ModelViewerEvents } from '../core/protocol/webview';
import { localPath } from './local-file';
import { PageChannel } from './page-channel';
import { setPage } from './page-html';
import { saveImage } from './save-image';
import type { Services } from './services';
import { viewerContent } from './viewer-content';

/** The read-only editor of model files: their sites, filters and tensors. */
export class ModelViewerProvider implements vscode.CustomReadonlyEditorProvider {
  static readonly viewType = 'longconvSurgeon.modelViewer';
  /** The same editor for extensions that other kinds of files have too: it opens them only when it is chosen. */
  static readonly optionalViewType = 'longconvSurgeon.checkpointViewer';
  private activePanel?: { readonly panel: vscode.WebviewPanel; readonly uri: vscode.Uri };

  constructor(private readonly services: Services) {}

  /** The model of the viewer in front. */
  get activeModel(): vscode.Uri | undefined {
    return this.activePanel?.uri;
  }

  openCustomDocument(uri: vscode.Uri): vscode.CustomDocument {
    return { uri, dispose: () => undefined };
  }

  resolveCustomEditor(document: vscode.CustomDocument, panel: vscode.WebviewPanel): void {
    const { uri } = document;
    const host = this.services.interactive;
    const handlers: ModelViewerApi = {
      load: async () => viewerContent(localPath(uri), host),
      timeSeries: async params => host.call('timeSeries', { ...params, model: localPath(uri) }),
      frequencySeries: async params => host.call('frequencySeries', { ...params, model: localPath(uri) }),
      timeHeatmap: async params => host.call('timeHeatmap', { ...params, model: localPath(uri) }),
      cellHeatmap: async params => host.call('cellHeatmap', { ...params, model: localPath(uri) }),
      overview: async params => host.call('overview', { ...params, model: localPath(uri) }),
      newPlan: async () => { await vscode.commands.executeCommand('longconvSurgeon.newPlan', uri); },
      saveImage: async image => saveImage(image, vscode.Uri.joinPath(uri, '..')),
      showLog: async () => this.services.log.show(),
    };
    const channel = new PageChannel<ModelViewerEvents>(panel.webview, handlers, (what, error) => this.services.report(`${path.basename(uri.path)}: ${what}`, error));
    const watcher = vscode.workspace.createFileSystemWatcher(new vscode.RelativePattern(vscode.Uri.joinPath(uri, '..'), path.basename(uri.path)));
    const reload = (): void => channel.send('reload', {});
    const setActive = (): void => {
      void this.services.status.follow(panel, panel.active);
      if (panel.active) this.activePanel = { panel, uri };
      else if (this.activePanel?.panel === panel) this.activePanel = undefined;
    };
    const subscriptions = [channel, watcher, watcher.onDidChange(reload), watcher.onDidCreate(reload), panel.onDidChangeViewState(setActive)];
    panel.onDidDispose(() => {
      void this.services.status.follow(panel, false);
      if (this.activePanel?.panel === panel) this.activePanel = undefined;
      subscriptions.forEach(subscription => subscription.dispose());
    });
    setActive();
    setPage(panel.webview, this.services.context.extensionUri, 'model-viewer');
  }
}
