import { copyFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { newRunFolder, sampleWorkspace, startEditor, type RunningEditor } from './server/editor-server';
import { packagedExtension } from './server/extension-package';
import { Workbench } from './server/workbench';

/** A VS Code window with the packaged extension on a copy of the sample folder. */
export interface SampleWindow {
  readonly editor: RunningEditor;
  readonly workbench: Workbench;
  readonly folder: string;
}

/** A window that takes longer to close its editors is not worth the wait: the next file gets a new one. */
const CLOSE_TIMEOUT_MS = 20_000;

let shared: Promise<SampleWindow> | undefined;
let anyFailed = false;

/**
 * The window that the test files share, since a start takes longer than most of them. A file works on a model of its own, which is the sample
 * model under the name NAME.safetensors, and ends with `closeEditors`. After a failure the next file gets a new window.
 */
export async function sampleWindow(name: string): Promise<SampleWindow> {
  if (anyFailed) {
    await closeWindow();
    anyFailed = false;
  }
  const window = await (shared ??= openWindow());
  if (name !== 'model') {
    await copyFile(path.join(window.folder, 'model.safetensors'), path.join(window.folder, `${name}.safetensors`));
  }
  return window;
}

/** Closes every editor, and what was not saved with it. A window in which that fails is not used again. */
export async function closeEditors({ workbench }: SampleWindow): Promise<void> {
  if (anyFailed) return;
  try {
    const dirty = workbench.page.locator('.tabs-container .tab.dirty');
    const end = Date.now() + CLOSE_TIMEOUT_MS;
    for (let reverts = 0; (await dirty.count()) > 0; reverts++) {
      if (Date.now() > end) throw new Error(`An editor is still changed after it was reverted ${reverts} times.`);
      await dirty.first().click();
      await workbench.runCommand('View: Revert and Close Editor', end - Date.now());
      await workbench.page.waitForTimeout(300);
    }
    await workbench.runCommand('View: Close All Editors', end - Date.now());
    await workbench.page.locator('.tabs-container .tab').first().waitFor({ state: 'detached', timeout: CLOSE_TIMEOUT_MS });
  } catch (error) {
    console.warn(`The editors were not closed, so the next tests get a new window. ${String(error)} Screenshot: ${await workbench.screenshot('not-closed')}`);
    anyFailed = true;
  }
}

async function openWindow(): Promise<SampleWindow> {
  const editor = await startEditor({ runFolder: await newRunFolder('e2e'), vsix: packagedExtension() });
  const folder = await sampleWorkspace(editor.runFolder);
  const workbench = await Workbench.open(editor, folder, { viewport: { width: 1280, height: 800 } });
  await untilWatched(workbench, folder);
  return { editor, folder, workbench };
}

/** A window that is starting lists its folder before it watches it, and never sees the files that are written between the two. */
async function untilWatched(workbench: Workbench, folder: string): Promise<void> {
  for (let attempt = 1; attempt <= 60; attempt++) {
    const name = `watched-${attempt}.txt`;
    await writeFile(path.join(folder, name), '');
    const seen = await workbench.explorerRow(name).waitFor({ timeout: 2000 }).then(() => true, () => false);
    await rm(path.join(folder, name));
    if (seen) return;
  }
  throw new Error(`The Explorer does not see the files that are written into its folder. Screenshot: ${await workbench.screenshot('not-watched')}`);
}

async function closeWindow(): Promise<void> {
  const closing = shared;
  shared = undefined;
  const window = await closing?.catch(() => undefined);
  await window?.workbench.close();
  await window?.editor.stop();
}

afterEach(function () {
  anyFailed ||= this.currentTest?.state === 'failed';
});
after(closeWindow);
