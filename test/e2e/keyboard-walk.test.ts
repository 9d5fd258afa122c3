import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import type { FrameLocator } from 'playwright-core';
import type { SurgeryPlan } from '../../extension/core/plan/plan';
import { choosePath, EditorPage, modelViewer, planEditor } from './pages';
import { closeEditors, sampleWindow, type SampleWindow } from './sample-window';
import type { Workbench } from './server/workbench';

const PLAN = 'keys.surgery.json';

/** The main job without a mouse: everything here is keys, and texts typed into VS Code's own boxes. Then what becomes of it beside itself and over a reload. */
describe('by keyboard alone', function () {
  this.timeout(180_000);
  this.bail(true);
  let sample: SampleWindow;
  let workbench: Workbench;
  let folder: string;
  let plan: EditorPage;

  before(async () => {
    sample = await sampleWindow('keys');
    ({ workbench, folder } = sample);
    // The extension is active, as it is for whoever comes here from another model.
    await workbench.openFromExplorer('keys.safetensors');
    await modelViewer(workbench);
    await workbench.runCommand('View: Close All Editors');
  });
  after(() => closeEditors(sample));

  /** A command of the palette; F1 is lost now and then while the window is busy. */
  async function command(title: string): Promise<void> {
    const input = workbench.page.locator('.quick-input-widget input.input').first();
    for (let attempt = 1; ; attempt++) {
      try {
        await workbench.page.keyboard.press('F1');
        await input.fill(`>${title}`, { timeout: 3000 });
        const rows = workbench.page.locator('.quick-input-list .monaco-list-row');
        await rows.filter({ hasText: title }).first().waitFor({ timeout: 3000 });
        // The palette may put other commands first.
        for (let i = 0; i < 10 && await workbench.page.locator('.quick-input-list .monaco-list-row.focused', { hasText: title }).count() === 0; i++) await workbench.page.keyboard.press('ArrowDown');
        await workbench.page.keyboard.press('Enter');
        return;
      } catch (error) {
        if (attempt === 10) throw error;
        await workbench.page.keyboard.press('Escape');
      }
    }
  }

  async function joinEditors(): Promise<void> {
    for (let i = 0; i < 10 && await workbench.tab(PLAN).count() > 1; i++) {
      await command('View: Join All Editor Groups');
      await workbench.page.waitForTimeout(1000);
    }
    assert.equal(await workbench.tab(PLAN).count(), 1);
  }

  /** Presses Tab until the part has the focus. */
  async function tabTo(frame: FrameLocator, testid: string): Promise<void> {
    const focused = frame.locator(`[data-testid="${testid}"]:focus`);
    const passed: string[] = [];
    for (let i = 0; i < 80; i++) {
      if (await focused.count() > 0) return;
      await workbench.page.keyboard.press('Tab');
      passed.push(await frame.locator('body').evaluate(() => (document.activeElement as HTMLElement | null)?.dataset.testid ?? document.activeElement?.textContent?.slice(0, 20) ?? ''));
    }
    throw new Error(`Tab never came to ${testid}; it came by ${passed.join(', ')}.`);
  }

  it('a model is opened, and a plan made of it', async () => {
    await workbench.page.keyboard.press('Control+Shift+E');
    await command('Long-Conv Surgeon: Open Model');
    await choosePath(workbench, path.join(folder, 'keys.safetensors'));
    const viewer = await modelViewer(workbench);
    await command('View: Focus Active Editor Group');
    await tabTo(viewer.frame, 'new-plan');
    await workbench.page.keyboard.press('Enter');
    plan = await planEditor(workbench);
  });

  it('a mask is drawn, and undone, redone and saved', async () => {
    await command('View: Focus Active Editor Group');
    await tabTo(plan.frame, 'cut-handle');
    // A sixteenth of the 1,026 taps in view each time; the focus stays on the handle.
    let masked = 'dense';
    for (const taps of [962, 898, 834]) {
      await workbench.page.keyboard.press('Shift+ArrowLeft');
      masked = `first ${taps} taps`;
      await plan.part('mask-summary').getByText(masked).waitFor();
      assert.equal(await plan.frame.locator('[data-testid="cut-handle"]:focus').count(), 1);
    }
    await tabTo(plan.frame, 'pattern');
    await workbench.page.keyboard.press('ArrowDown');
    await plan.part('mask-summary').getByText('lowpass').waitFor();
    await workbench.page.keyboard.press('Control+Z');
    await plan.part('mask-summary').getByText(masked).waitFor();
    await workbench.page.keyboard.press('Control+S');
    await workbench.dirtyTab(PLAN).waitFor({ state: 'detached' });
    const { sites } = JSON.parse(readFileSync(path.join(folder, PLAN), 'utf8')) as SurgeryPlan;
    assert.deepEqual(sites.map(({ masks }) => masks.length), [1]);
  });

  it('the plan is validated and exported', async () => {
    await command('Long-Conv Surgeon: Validate Plan');
    await plan.part('site-table').waitFor({ timeout: 120_000 });
    await command('Long-Conv Surgeon: Export Plan');
    await command('View: Focus Active Editor Group');
    await tabTo(plan.frame, 'export');
    await workbench.page.keyboard.press('Enter');
    await choosePath(workbench, path.join(folder, 'by-keys.safetensors'));
    await plan.part('export-done').getByText('by-keys.safetensors').first().waitFor({ timeout: 120_000 });
    assert.ok(statSync(path.join(folder, 'by-keys.safetensors')).size > 100_000);
  });

  it('two editors of one plan, side by side, stay in step', async () => {
    await command('View: Split Editor Right');
    const frames = workbench.page.locator('iframe.webview.ready');
    const pages: EditorPage[] = [];
    for (let i = 0; i < 100 && pages.length < 2; i++, await workbench.page.waitForTimeout(200)) {
      pages.length = 0;
      for (let n = 0; n < await frames.count(); n++) {
        const frame = frames.nth(n).contentFrame().frameLocator('iframe#active-frame');
        if (await frames.nth(n).isVisible() && await frame.locator('body[data-ready] [data-testid="plan-name"]').count() > 0) pages.push(new EditorPage(frame));
      }
    }
    assert.equal(pages.length, 2);
    for (const page of pages) await page.part('tab-masks').press('Enter');
    await pages[0].part('partial-taps').fill('77');
    await pages[0].part('partial-taps').press('Enter');
    for (const page of pages) await page.part('mask-summary').getByText('first 77 taps').waitFor();
    await pages[1].part('cut-handle').press('ArrowLeft');
    for (const page of pages) await page.part('mask-summary').getByText('first 76 taps').waitFor();
    assert.equal(await pages[0].part('partial-taps').inputValue(), '76');
    await workbench.page.keyboard.press('Control+Z');
    for (const page of pages) await page.part('mask-summary').getByText('first 77 taps').waitFor();
    await joinEditors();
    plan = await planEditor(workbench);
  });

  it('a reload in the middle of a validation loses neither the unsaved plan nor the way back to the run', async () => {
    await workbench.dirtyTab(PLAN).waitFor();
    await plan.part('tab-validation').press('Enter');
    await plan.part('choose-data').press('Enter');
    await choosePath(workbench, path.join(folder, 'ecoli-validation.fa'));
    await plan.part('data-name').getByText('ecoli-validation.fa').waitFor();
    // VS Code backs up a changed document a second after the last change.
    await workbench.page.waitForTimeout(2500);
    await plan.part('validate').press('Enter');
    const before = readFileSync(path.join(folder, PLAN), 'utf8');
    await plan.part('validation-cancel').waitFor();
    // VS Code writes a window's state down a tenth of a second after it changed.
    await workbench.page.waitForTimeout(500);
    await workbench.page.reload();
    // VS Code may have written down the two groups of before.
    await workbench.dirtyTab(PLAN).first().waitFor({ timeout: 60_000 });
    await joinEditors();
    plan = await planEditor(workbench);
    await plan.part('tab-masks').press('Enter');
    await plan.part('mask-summary').getByText('first 77 taps').waitFor();
    await plan.part('tab-validation').press('Enter');
    assert.match(await plan.text('validation-failure'), /closed or reloaded while the validation ran/);
    await plan.part('clear-data').press('Enter');
    await plan.part('validation-retry').press('Enter');
    await plan.part('validation-failure').waitFor({ state: 'detached' });
    await plan.part('site-table').waitFor({ timeout: 120_000 });
    await plan.part('validation-stale').waitFor({ state: 'detached' });
    // The run that was kept before the reload, and this one.
    await plan.part('run-row').nth(1).waitFor();
    assert.equal(readFileSync(path.join(folder, PLAN), 'utf8'), before, 'what was not saved is not in the file');
  });
});
