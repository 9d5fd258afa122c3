import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Browser, BrowserContext, FrameLocator, Locator, Page } from 'playwright-core';
import { launchChromium } from './chromium';
import type { RunningEditor } from './editor-server';
import { repositoryRoot } from './installation';

export type Theme = 'light' | 'dark' | 'high-contrast' | 'high-contrast-light';
/** A theme's name in the picker, and the class the workbench carries when it is on. */
const THEMES: Record<Theme, { readonly label: string; readonly workbenchClass: string }> = {
  'light': { label: 'Light Modern', workbenchClass: 'vs' },
  'dark': { label: 'Dark Modern', workbenchClass: 'vs-dark' },
  'high-contrast': { label: 'Dark High Contrast', workbenchClass: 'hc-black' },
  'high-contrast-light': { label: 'Light High Contrast', workbenchClass: 'hc-light' },
};
const COMMAND_TIMEOUT_MS = 60_000;
/** How long one step in an open palette may take before it is opened again. */
const PALETTE_TIMEOUT_MS = 1500;
const TAB_TIMEOUT_MS = 15_000;
const WEBVIEW_TIMEOUT_MS = 120_000;
/** VS Code gives up on a webview whose service worker starts late, as it may on a busy machine, and offers this command for it. */
const WEBVIEW_RELOAD_MS = 40_000;
const RELOAD_WEBVIEWS = 'Developer: Reload Webviews';
/**
 * What a plain server's VS Code complains of by itself, whenever an extension host starts: its licensed module and an account service are not part of
 * it, and its own native modules (log writer, watchdog) are not compiled here.
 */
const NOT_OURS = /vsda|authentication provider|Cannot find module[^]*\/lib\/vscode\/node_modules\/|@vscode\/spdlog\/build/;
/** A busy machine takes most of a minute to start an editor. */
const PAGE_TIMEOUT_MS = 120_000;

export interface WorkbenchOptions {
  /** Pairs of the page's `payload` parameter, e.g. the paths of a test run inside the extension host. */
  readonly payload?: readonly (readonly [string, string])[];
  /** Called with the page before it is loaded, for functions the workbench expects to find. */
  readonly prepare?: (page: Page) => Promise<void>;
  readonly viewport?: { readonly width: number; readonly height: number };
}

/** A VS Code window in a headless browser, driven as a person would: by keys, the palette, the Explorer and clicks. */
export class Workbench {
  /** What the page's console called an error, less NOT_OURS. */
  readonly consoleErrors: string[] = [];
  /** Hosts that were asked for anything: the server itself, and VS Code's own address for webview resources, which never leaves the browser. */
  readonly requestedHosts = new Set<string>();

  private constructor(private readonly editor: RunningEditor, private readonly browser: Browser, readonly context: BrowserContext, readonly page: Page) {
    page.on('console', (message) => {
      if (message.type() === 'error' && !NOT_OURS.test(`${message.text()} ${message.location().url}`)) {
        this.consoleErrors.push(message.text());
      }
    });
    page.on('pageerror', (error) => this.consoleErrors.push(error.message));
    context.on('request', (request) => {
      const url = new URL(request.url());
      if (url.host !== '') {
        this.requestedHosts.add(url.host);
      }
    });
  }

  /** Opens `folder` (absolute) and waits for the workbench. */
  static async open(editor: RunningEditor, folder: string, options: WorkbenchOptions = {}): Promise<Workbench> {
    const browser = await launchChromium();
    const context = await browser.newContext({ viewport: options.viewport ?? { width: 1440, height: 900 }, serviceWorkers: 'allow' });
    context.setDefaultTimeout(PAGE_TIMEOUT_MS);
    const page = await context.newPage();
    const workbench = new Workbench(editor, browser, context, page);
    await options.prepare?.(page);
    const payload = options.payload ? `&payload=${encodeURIComponent(JSON.stringify(options.payload))}` : '';
    await page.goto(`${editor.origin}/?folder=${encodeURIComponent(folder)}${payload}`);
    await page.locator('.monaco-workbench .part.statusbar').waitFor();
    return workbench;
  }

  async close(): Promise<void> {
    await this.browser.close();
  }

  /** Runs a command by its palette title, e.g. "Long-Conv Surgeon: Export ...". */
  async runCommand(title: string, timeoutMs = COMMAND_TIMEOUT_MS): Promise<void> {
    await this.inPalette(title, (row) => row.click({ timeout: PALETTE_TIMEOUT_MS }), timeoutMs);
  }

  /** Palette entries whose text contains `text`; waits until there is one. */
  async paletteEntries(text: string): Promise<string[]> {
    const rows = await this.inPalette(text, () => this.page.locator('.quick-input-list .monaco-list-row .label-name').allInnerTexts());
    await this.page.keyboard.press('Escape');
    return rows;
  }

  /**
   * Opens a file in its custom editor with a double click in the Explorer, which needs no search program on the server. The Explorer of a window
   * that is starting may lose a click, since it is drawn anew meanwhile.
   */
  async openFromExplorer(name: string): Promise<void> {
    await this.explorerShows(name);
    for (let attempt = 0; attempt < 5; attempt++) {
      await this.explorerRow(name).dblclick();
      const opened = await this.tab(name).first().waitFor({ timeout: TAB_TIMEOUT_MS }).then(() => true, () => false);
      if (opened && !(await this.openedAsText())) {
        return;
      }
      if (opened) await this.runCommand('View: Close Editor');
      await sleep(1000);
    }
    throw new Error(`${name} does not open, or opens as text. Screenshot: ${await this.screenshot('not-opened')}`);
  }

  /** A window that is still starting knows an extension's commands a moment before its custom editors, and opens their files as text. */
  private async openedAsText(): Promise<boolean> {
    const text = this.page.locator('.part.editor').locator('.monaco-editor, .monaco-editor-pane-placeholder').filter({ visible: true });
    const webview = this.page.locator('iframe.webview').filter({ visible: true });
    for (let i = 0; i < 200; i++) {
      if ((await text.count()) > 0) return true;
      if ((await webview.count()) > 0) return false;
      await sleep(100);
    }
    return false;
  }

  /** Waits until the Explorer lists a file. It misses a file that was just written now and then, and is refreshed, as a user would. */
  private async explorerShows(name: string): Promise<void> {
    const shown = (): Promise<boolean> => this.explorerRow(name).waitFor({ timeout: 5000 }).then(() => true, () => false);
    for (let attempt = 0; attempt < 5 && !(await shown()); attempt++) await this.runCommand('Refresh Explorer');
  }

  explorerRow(name: string): Locator {
    return this.page.locator('.explorer-folders-view .monaco-list-row').filter({ has: this.page.getByText(name, { exact: true }) });
  }

  tab(name: string): Locator {
    return this.page.locator('.tabs-container .tab', { hasText: name });
  }

  dirtyTab(name: string): Locator {
    return this.page.locator('.tabs-container .tab.dirty', { hasText: name });
  }

  /** A notification that contains `text`. */
  notification(text: string | RegExp): Locator {
    return this.page.locator('.notification-toast', { hasText: text });
  }

  /** Chooses an entry of an open pick list. */
  async pick(text: string): Promise<void> {
    await this.page.locator('.quick-input-list .monaco-list-row', { hasText: text }).first().click({ timeout: TAB_TIMEOUT_MS });
  }

  /** Answers an open input box or path dialog. */
  async answer(text: string): Promise<void> {
    const input = this.quickInput();
    await input.waitFor({ state: 'visible' });
    await input.fill(text);
    await input.press('Enter');
  }

  /**
   * The visible webview that contains `marker` (a CSS selector), when several are open. VS Code nests it in two frames: its own, and inside
   * that the extension's html.
   */
  async webview(marker: string): Promise<FrameLocator> {
    const frames = this.page.locator('iframe.webview.ready');
    const start = Date.now();
    let reloaded = false;
    do {
      for (let n = 0; n < (await frames.count()); n++) {
        const content = frames.nth(n).contentFrame().frameLocator('iframe#active-frame');
        const shown = await frames.nth(n).isVisible().catch(() => false);
        if (shown && (await content.locator(marker).count().catch(() => 0)) > 0) {
          return content;
        }
      }
      if (!reloaded && Date.now() - start > WEBVIEW_RELOAD_MS) {
        reloaded = true;
        console.warn(`No webview contains "${marker}" after ${WEBVIEW_RELOAD_MS / 1000} s; webviews are reloaded. ${await this.webviewStates()}`);
        await this.runCommand(RELOAD_WEBVIEWS);
      }
      await sleep(200);
    } while (Date.now() - start < WEBVIEW_TIMEOUT_MS);
    throw new Error(`No visible webview contains "${marker}". ${await this.webviewStates()} Screenshot: ${await this.screenshot('webview-failure')}`);
  }

  /** What there is to see of the webviews, for a failure's message. */
  private async webviewStates(): Promise<string> {
    const frames = this.page.locator('iframe.webview');
    const texts: string[] = [];
    for (let n = 0; n < (await frames.count()); n++) {
      const frame = frames.nth(n);
      const text = await frame.contentFrame().frameLocator('iframe#active-frame').locator('body').innerText({ timeout: 1000 }).catch(() => '(no page)');
      texts.push(`${await frame.getAttribute('class')}: ${text.replace(/\s+/g, ' ').slice(0, 200)}`);
    }
    return `Webviews: ${texts.join(' | ') || 'none'}. Console: ${this.consoleErrors.slice(-3).join(' | ') || 'no errors'}.`;
  }

  async setSetting(name: string, value: unknown): Promise<void> {
    const settings = JSON.parse(await readFile(this.editor.settingsFile, 'utf8')) as Record<string, unknown>;
    await writeFile(this.editor.settingsFile, JSON.stringify({ ...settings, [name]: value }, null, 2));
  }

  async setTheme(theme: Theme): Promise<void> {
    // By the picker: VS Code's web client does not follow changes of the settings file for its theme.
    const { label, workbenchClass } = THEMES[theme];
    const isOn = (): Promise<boolean> => this.page.locator(`.monaco-workbench.${workbenchClass}`).waitFor({ timeout: TAB_TIMEOUT_MS }).then(() => true, () => false);
    for (let attempt = 1; ; attempt++) {
      await this.runCommand('Preferences: Color Theme');
      // The list may close by itself, as the palette may.
      await this.quickInput().fill(label, { timeout: PALETTE_TIMEOUT_MS }).then(() => this.pick(label)).catch(() => this.page.keyboard.press('Escape'));
      if (await isOn()) break;
      if (attempt === 3) throw new Error(`The theme "${label}" is not on after ${attempt} attempts. Screenshot: ${await this.screenshot('no-theme')}`);
    }
    // Webviews get the new colours in a message of their own, a little later.
    await sleep(500);
  }

  /** Saves out/screenshots/NAME.png and returns its path. */
  async screenshot(name: string): Promise<string> {
    const file = path.join(repositoryRoot, 'out/screenshots', `${name}.png`);
    await mkdir(path.dirname(file), { recursive: true });
    await this.page.screenshot({ path: file });
    return file;
  }

  private quickInput(): Locator {
    return this.page.locator('.quick-input-widget input.input').first();
  }

  /** Takes the focus out of a page that passes no keys on, as it does while it is made or closed, by a click on the status bar's middle, where nothing is. */
  private async focusWorkbench(): Promise<void> {
    const { width, height } = this.page.viewportSize()!;
    await this.page.mouse.click(width / 2, height - 10);
  }

  /**
   * Uses the palette's row for a command. F1 is lost while the workbench boots, a palette that was opened before the extension's commands were known
   * stays without them, and one that is seen may close by itself the next moment, when the focus moves: so it is opened again until `use` has ended.
   */
  private async inPalette<T>(title: string, use: (row: Locator) => Promise<T>, timeoutMs = COMMAND_TIMEOUT_MS): Promise<T> {
    const row = this.page.locator('.quick-input-list .monaco-list-row', { hasText: title }).first();
    const end = Date.now() + timeoutMs;
    for (let attempt = 0; ; attempt++) {
      try {
        // By the title bar's search box where a page has kept the key.
        if (attempt % 2 === 0) await this.page.keyboard.press('F1');
        else await this.page.locator('.command-center .command-center-center').first().click({ timeout: PALETTE_TIMEOUT_MS });
        await this.quickInput().waitFor({ state: 'visible', timeout: PALETTE_TIMEOUT_MS });
        await this.quickInput().fill(`>${title}`, { timeout: PALETTE_TIMEOUT_MS });
        await row.waitFor({ timeout: PALETTE_TIMEOUT_MS });
        return await use(row);
      } catch (error) {
        await this.page.keyboard.press('Escape');
        await this.focusWorkbench();
        if (Date.now() > end) {
          throw new Error(`The palette never showed the command "${title}".`, { cause: error });
        }
      }
    }
  }
}
