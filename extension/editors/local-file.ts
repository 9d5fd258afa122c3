import type * as vscode from 'vscode';
import { UserError } from '../core/errors';

/** The path of a file on this machine. Throws a UserError for anything else: models are read by ranges, which only local files offer. */
export function localPath(uri: vscode.Uri): string {
  if (uri.scheme !== 'file') {
    throw new UserError(`${uri.path.split('/').at(-1)} is in a virtual workspace (${uri.scheme}:), and models are only read from local files.`, 'Copy it into a folder on this machine, or open the machine that has it by Remote-SSH.');
  }
  return uri.fsPath;
}
