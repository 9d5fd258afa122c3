import { setTimeout as sleep } from 'node:timers/promises';
import type { FrameLocator, Locator } from 'playwright-core';
import type { Workbench } from './server/workbench';

/** One of the extension's pages, driven by the data-testids that are listed at the top of its source. */
export class EditorPage {
  constructor(readonly frame: FrameLocator) {}

  part(testid: string): Locator {
    return this.frame.getByTestId(testid);
  }

  async text(testid: string): Promise<string> {
    return (await this.part(testid).innerText()).trim();
  }

  /** Waits until the text of a part is other than it was, and gives it. */
  async changed(testid: string, before: string): Promise<string> {
    await this.part(testid).filter({ hasNotText: new RegExp(`^\\s*${before.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}\\s*$`) }).waitFor();
    return this.text(testid);
  }

  /** Drags a part by whole pixels and calls `during` before the button is released. */
  async drag(workbench: Workbench, testid: string, byX: number, during?: () => Promise<void>): Promise<void> {
    const box = (await this.part(testid).boundingBox())!;
    const [x, y] = [box.x + box.width / 2, box.y + box.height / 3];
    await workbench.page.mouse.move(x, y);
    await workbench.page.mouse.down();
    await workbench.page.mouse.move(x + byX, y, { steps: 12 });
    await during?.();
    await workbench.page.mouse.up();
  }
}

export async function modelViewer(workbench: Workbench): Promise<EditorPage> {
  return new EditorPage(await workbench.webview('body[data-ready] [data-testid="overview"]'));
}

export async function planEditor(workbench: Workbench): Promise<EditorPage> {
  return new EditorPage(await workbench.webview('body[data-ready] [data-testid="plan-name"]'));
}

/** Opens a model of the workspace, makes a plan for it by the page's button, and gives the plan's page. */
export async function newPlan(workbench: Workbench, model: string): Promise<EditorPage> {
  await workbench.paletteEntries('Long-Conv Surgeon: New Surgery Plan');
  await workbench.openFromExplorer(model);
  await (await modelViewer(workbench)).part('new-plan').click();
  return planEditor(workbench);
}

/** Answers VS Code's own file dialog with a path. While it still looks up folders it ignores Enter, or puts its own proposal where the path was typed. */
export async function choosePath(workbench: Workbench, file: string): Promise<void> {
  const input = workbench.page.locator('.quick-input-widget input.input').first();
  await input.waitFor({ state: 'visible' });
  for (let i = 0; await input.inputValue() === ''; i++) {
    if (i === 400) throw new Error('The file dialog proposes no folder.');
    await sleep(50);
  }
  await workbench.page.locator('.quick-input-list .monaco-list-row').first().waitFor();
  for (let attempt = 1; await input.isVisible(); attempt++) {
    if (attempt > 10) throw new Error(`The file dialog does not take ${file}; it holds "${await input.inputValue()}".`);
    try {
      await input.fill(file, { timeout: 2000 });
      await input.press('Enter', { timeout: 2000 });
      await input.waitFor({ state: 'hidden', timeout: 2000 });
    } catch {
      // Once more, with the dialog as it is now.
    }
  }
}
