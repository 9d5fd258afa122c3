import * as path from 'node:path';
import * as vscode from 'vscode';
import { writeFileAtomically } from '../core/io/atomic-file';
import type { PlotImage } from '../core/protocol/webview';
import { localPath } from './local-file';

/** Asks where to save a plot, and writes it as SVG or as PNG, whichever the name says. */
export async function saveImage({ name, svg, png }: PlotImage, folder: vscode.Uri): Promise<void> {
  const target = await vscode.window.showSaveDialog({
    title: vscode.l10n.t('Save the plot'), defaultUri: vscode.Uri.joinPath(folder, `${name.replace(/[^\w.-]+/g, '-')}.svg`), filters: { SVG: ['svg'], PNG: ['png'] },
  });
  if (!target) return;
  const isPng = path.extname(target.path).toLowerCase() === '.png';
  await writeFileAtomically(localPath(target), isPng ? new Uint8Array(png) : svg);
}
