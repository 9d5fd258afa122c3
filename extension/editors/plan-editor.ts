import type * as vscode from 'vscode';
import type { PlanEditorEvents } from '../core/protocol/webview';
import { PageChannel } from './page-channel';
import { setPage } from './page-html';
import { PlanSession } from './plan-session';
import type { Services } from './services';

/** The editor of surgery plans: text documents, whose pages share one session for each document. */
export class PlanEditorProvider implements vscode.CustomTextEditorProvider {
  static readonly viewType = 'longconvSurgeon.planEditor';
  private readonly sessions = new Map<string, PlanSession>();
  private activePanel?: { readonly panel: vscode.WebviewPanel; readonly session: PlanSession };

  constructor(private readonly services: Services) {}

  /** The plan whose editor is in front. */
  get activeSession(): PlanSession | undefined {
    return this.activePanel?.session;
  }

  resolveCustomTextEditor(document: vscode.TextDocument, panel: vscode.WebviewPanel): void {
    const key = document.uri.toString();
    const session = this.sessions.get(key) ?? new PlanSession(document, this.services);
    this.sessions.set(key, session);
    const page = new PageChannel<PlanEditorEvents>(panel.webview, session.handlers, (what, error) => this.services.report(`${key}: ${what}`, error));
    session.pages.add(page);
    const setActive = (): void => {
      void this.services.status.follow(panel, panel.active);
      if (panel.active) this.activePanel = { panel, session };
      else if (this.activePanel?.panel === panel) this.activePanel = undefined;
    };
    const viewState = panel.onDidChangeViewState(setActive);
    panel.onDidDispose(() => {
      void this.services.status.follow(panel, false);
      if (this.activePanel?.panel === panel) this.activePanel = undefined;
      viewState.dispose();
      page.dispose();
      session.pages.delete(page);
      if (session.pages.size > 0) return;
      this.sessions.delete(key);
      session.dispose();
    });
    setActive();
    setPage(panel.webview, this.services.context.extensionUri, 'plan-editor');
  }
}
