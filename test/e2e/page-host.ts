import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import type { Reply, Request } from '../../extension/core/protocol/rpc';
import { launchChromium } from './server/chromium';
import { repositoryRoot } from './server/installation';
import type { Theme } from './server/workbench';

export type Handlers = Readonly<Record<string, (params: never) => unknown>>;
export interface ThemeFile { readonly bodyClass: string; readonly kind: string; readonly variables: Readonly<Record<string, string>> }

const ORIGIN = 'http://pages.localhost';
const SCRIPT_NONCE = 'script-nonce', STYLE_NONCE = 'style-nonce';

/** What VS Code gives to a page, as text: the test runner's compiler would put helpers into a function that the page does not have. */
const VSCODE_API = `
  window.acquireVsCodeApi = () => ({
    postMessage: (request) => void window.hostRequest(request).then((reply) => window.postMessage(reply, '*')),
    getState: () => JSON.parse(sessionStorage.getItem('state') ?? 'null'),
    setState: (state) => sessionStorage.setItem('state', JSON.stringify(state)),
  });`;

let browser: Promise<Browser> | undefined;

/**
 * One of the extension's bundled pages in a browser context of its own, without a workbench around it: under the same content security policy, with
 * VS Code's own theme colours, its requests answered by `handlers`. For what would take minutes in the whole editor.
 */
export class PageHost {
  readonly consoleErrors: string[] = [];
  /** Bytes of the largest message to the page. */
  largestMessage = 0;
  /** Milliseconds from a request's arrival to its reply, by method. */
  readonly answerTimes = new Map<string, number[]>();

  private constructor(private readonly context: BrowserContext, readonly page: Page, private readonly name: 'model-viewer' | 'plan-editor', private readonly handlers: Handlers, private readonly texts: Readonly<Record<string, string>>) {}

  /** @param texts the bundle of the user's language; English without it. */
  static async open(name: 'model-viewer' | 'plan-editor', handlers: Handlers, theme: Theme, viewport = { width: 1000, height: 760 }, texts: Readonly<Record<string, string>> = {}): Promise<PageHost> {
    const context = await (await (browser ??= launchChromium())).newContext({ viewport });
    const page = await context.newPage();
    const host = new PageHost(context, page, name, handlers, texts);
    try {
      await host.load(theme);
      return host;
    } catch (error) {
      await context.close();
      throw new Error(`The page did not get ready: ${host.consoleErrors.join('\n')}`, { cause: error });
    }
  }

  /** Ends the browser that all hosts share. */
  static async closeBrowser(): Promise<void> {
    await (await browser)?.close();
    browser = undefined;
  }

  /** Loads the page anew, in another theme. What the page saved as its own state is kept. */
  async load(theme: Theme): Promise<void> {
    if (this.page.url() !== 'about:blank') return this.reload(theme);
    const dist = path.join(repositoryRoot, 'dist/webview');
    await this.page.route(`${ORIGIN}/**`, async (route) => {
      const file = new URL(route.request().url()).pathname.slice(1);
      if (file === '') return route.fulfill({ contentType: 'text/html', body: this.html(this.theme) });
      if (file === 'favicon.ico') return route.fulfill({ status: 204 });
      return route.fulfill({ path: path.join(dist, file) });
    });
    this.page.on('console', (message) => { if (message.type() === 'error') this.consoleErrors.push(message.text()); });
    this.page.on('pageerror', (error) => this.consoleErrors.push(String(error)));
    await this.page.exposeFunction('hostRequest', (request: Request) => this.answer(request));
    await this.page.addInitScript({ content: VSCODE_API });
    await this.reload(theme);
  }

  private theme: Theme = 'light';

  private async reload(theme: Theme): Promise<void> {
    this.theme = theme;
    await this.page.goto(`${ORIGIN}/`);
    await this.page.locator('body[data-ready]').waitFor({ timeout: 30_000 });
  }

  /** Tells the page something unasked. */
  async send(name: string, data: unknown): Promise<void> {
    await this.page.evaluate(([event, value]) => window.postMessage({ type: 'event', name: event, data: value }, '*'), [name, data] as const);
  }

  async close(): Promise<void> {
    await this.context.close();
  }

  private async answer(request: Request): Promise<Reply> {
    const started = performance.now();
    const handler = (this.handlers as Record<string, ((params: unknown) => unknown) | undefined>)[request.method];
    let reply: Reply;
    try {
      if (!handler) throw new Error(`The page asked for "${request.method}", which this test does not answer.`);
      reply = { type: 'reply', id: request.id, ok: await handler(request.params) };
    } catch (error) {
      reply = { type: 'reply', id: request.id, err: { kind: 'internal', message: error instanceof Error ? error.message : String(error) } };
    }
    this.largestMessage = Math.max(this.largestMessage, sizeOf(reply));
    this.answerTimes.set(request.method, [...(this.answerTimes.get(request.method) ?? []), performance.now() - started]);
    return reply;
  }

  private html(theme: Theme): string {
    const { bodyClass, kind, variables } = themeFile(theme);
    const policy = `default-src 'none'; script-src 'nonce-${SCRIPT_NONCE}'; style-src ${ORIGIN} 'nonce-${STYLE_NONCE}'; img-src ${ORIGIN} data:; font-src ${ORIGIN}`;
    const colours = Object.entries(variables).map(([variable, value]) => `${variable}: ${value};`).join(' ');
    return `<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${policy}">
      <meta property="csp-nonce" content="${STYLE_NONCE}"><title>Long-Conv Surgeon</title>
      <style nonce="${STYLE_NONCE}">:root { ${colours} }</style><link rel="stylesheet" href="${ORIGIN}/${this.name}.css"></head>
      <body data-l10n="${JSON.stringify(this.texts).replaceAll('&', '&amp;').replaceAll('"', '&quot;')}" class="${bodyClass}" data-vscode-theme-kind="${kind}"><script nonce="${SCRIPT_NONCE}" src="${ORIGIN}/${this.name}.js"></script></body></html>`;
  }
}

/** The colours that VS Code gives to pages, as it gave them to one (test/fixtures/themes). */
export function themeFile(theme: Theme): ThemeFile {
  return JSON.parse(readFileSync(path.join(repositoryRoot, `test/fixtures/themes/${theme}.json`), 'utf8')) as ThemeFile;
}

/** About as many bytes as the value has as a message: the contents of arrays of numbers, and text. */
function sizeOf(value: unknown): number {
  if (ArrayBuffer.isView(value)) return value.byteLength;
  if (typeof value === 'string') return value.length;
  if (Array.isArray(value)) return value.reduce<number>((sum, item) => sum + sizeOf(item), 8);
  if (typeof value === 'object' && value !== null) return Object.entries(value).reduce((sum, [key, item]) => sum + key.length + sizeOf(item), 8);
  return 8;
}
