import * as path from 'node:path';
import * as vscode from 'vscode';
import { UserError } from '../core/errors';

const SCHEME = 'longconv-plan';

interface GitRepository { show(ref: string, path: string): Promise<string> }
interface GitApi { getRepository(uri: vscode.Uri): GitRepository | null }
interface GitExtension { getAPI(version: 1): GitApi }

/** Shows the text of a plan beside its saved or committed state, in VS Code's own diff editor. */
export class PlanDiffs implements vscode.TextDocumentContentProvider, vscode.Disposable {
  private readonly texts = new Map<string, string>();
  private readonly registration = vscode.workspace.registerTextDocumentContentProvider(SCHEME, this);

  provideTextDocumentContent(uri: vscode.Uri): string {
    return this.texts.get(uri.toString()) ?? '';
  }

  async show(document: vscode.TextDocument, against: 'saved' | 'committed'): Promise<void> {
    const before = against === 'saved' ? await savedText(document.uri) : await committedText(document.uri);
    const name = path.posix.basename(document.uri.path);
    // Both sides are snapshots under names that the plan editor does not claim: a diff of two pages would show no differences.
    const left = this.snapshot(document.uri, against, before);
    const right = this.snapshot(document.uri, `now-${document.version}`, document.getText());
    await vscode.commands.executeCommand('vscode.diff', left, right, `${name}: ${against === 'saved' ? vscode.l10n.t('saved') : vscode.l10n.t('committed')} ↔ ${vscode.l10n.t('now')}`, { preview: true });
  }

  dispose(): void {
    this.registration.dispose();
    this.texts.clear();
  }

  private snapshot(plan: vscode.Uri, label: string, text: string): vscode.Uri {
    const uri = vscode.Uri.from({ scheme: SCHEME, path: plan.path.replace(/\.json$/, ` (${label}).json`), query: String(Date.now()) });
    this.texts.set(uri.toString(), text);
    return uri;
  }
}

async function savedText(uri: vscode.Uri): Promise<string> {
  return new TextDecoder().decode(await vscode.workspace.fs.readFile(uri));
}

async function committedText(uri: vscode.Uri): Promise<string> {
  const name = path.posix.basename(uri.path);
  const git = vscode.extensions.getExtension<GitExtension>('vscode.git');
  const repository = (await git?.activate())?.getAPI(1).getRepository(uri);
  if (!repository) throw new UserError(`${name} is in no Git repository that VS Code has open, so there is no committed plan to compare with.`, 'Commit it first, or compare with the saved file.');
  try {
    return await repository.show('HEAD', uri.fsPath);
  } catch {
    throw new UserError(`${name} is not in the last commit of its Git repository.`, 'Commit it first, or compare with the saved file.');
  }
}
