import * as path from 'node:path';
import * as vscode from 'vscode';
import { UserError } from '../core/errors';
import type { SurgeryPlan } from '../core/plan/plan';
import { formatPlan, readPlan } from '../core/plan/read';
import type { SiteSummary } from '../core/protocol/kernel-host';
import type { PlanEdit, PlanState } from '../core/protocol/webview';
import { changedPlan } from './plan-changes';
import { textChange } from './text-change';

/** A plan file that is open as a text document. Every change is one text edit: undo, redo, diff, save and hot exit are VS Code's. */
export class PlanDocument {
  private lastGood: SurgeryPlan | null = null;
  private lastChange: Promise<unknown> = Promise.resolve();

  constructor(readonly document: vscode.TextDocument) {}

  get name(): string {
    return path.basename(this.document.uri.path);
  }

  /** What the text says now. */
  read(): PlanState {
    const revision = this.document.version;
    try {
      this.lastGood = readPlan(this.document.getText(), this.document.uri.fsPath);
      return { plan: this.lastGood, revision };
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      return { plan: this.lastGood, invalid: { message: error.message, hint: error.hint }, revision };
    }
  }

  /** The plan in the text. Throws a UserError that names the field when it is none. */
  require(): SurgeryPlan {
    return readPlan(this.document.getText(), this.document.uri.fsPath);
  }

  /** One change after the other: each is made of the text that the one before has left. */
  change(edit: PlanEdit, sites: readonly SiteSummary[]): Promise<void> {
    const change = this.lastChange.then(() => this.apply(edit, sites));
    this.lastChange = change.catch(() => undefined);
    return change;
  }

  private async apply(edit: PlanEdit, sites: readonly SiteSummary[]): Promise<void> {
    const before = this.document.getText();
    const lines = formatPlan(changedPlan(this.require(), edit, sites));
    const change = textChange(before, this.document.eol === vscode.EndOfLine.CRLF ? lines.replace(/\n/g, '\r\n') : lines);
    if (!change) return;
    const workspaceEdit = new vscode.WorkspaceEdit();
    workspaceEdit.replace(this.document.uri, new vscode.Range(this.document.positionAt(change.start), this.document.positionAt(change.end)), change.text);
    if (!await vscode.workspace.applyEdit(workspaceEdit)) {
      throw new UserError(`${this.name} could not be changed.`, 'It may be read-only: save it under another name.');
    }
  }
}
