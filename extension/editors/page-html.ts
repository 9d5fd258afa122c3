import { randomBytes } from 'node:crypto';
import * as vscode from 'vscode';

/** The pages that esbuild bundles into dist/webview. */
export type PageName = 'model-viewer' | 'plan-editor';

/** Sets up a webview for a page: scripts only with this load's nonce, files only from dist/webview, nothing from the network. The texts of
 * the user's language go with it (webview/ui/l10n.ts). */
export function setPage(webview: vscode.Webview, extensionUri: vscode.Uri, page: PageName): void {
  const folder = vscode.Uri.joinPath(extensionUri, 'dist', 'webview');
  webview.options = { enableScripts: true, localResourceRoots: [folder] };
  const nonce = randomBytes(16).toString('base64');
  // The toolkit probes the browser with a style element, for which it looks up this nonce; scripts have one of their own.
  const styleNonce = randomBytes(16).toString('base64');
  const file = (extension: string): vscode.Uri => webview.asWebviewUri(vscode.Uri.joinPath(folder, `${page}.${extension}`));
  const policy = [
    `default-src 'none'`, `script-src 'nonce-${nonce}'`, `style-src ${webview.cspSource} 'nonce-${styleNonce}'`,
    `img-src ${webview.cspSource} data:`, `font-src ${webview.cspSource}`,
  ].join('; ');
  webview.html = `<!DOCTYPE html>
<html lang="${vscode.l10n.bundle ? vscode.env.language : 'en'}">
<head>
  <meta charset="utf-8">
  <meta http-equiv="Content-Security-Policy" content="${policy}">
  <meta property="csp-nonce" content="${styleNonce}">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <link rel="stylesheet" href="${file('css').toString()}">
  <title>Long-Conv Surgeon</title>
</head>
<body data-l10n="${attribute(JSON.stringify(vscode.l10n.bundle ?? {}))}">
  <script nonce="${nonce}" src="${file('js').toString()}"></script>
</body>
</html>`;
}

const attribute = (text: string): string => text.replace(/[&<>"]/g, character => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[character]!);
