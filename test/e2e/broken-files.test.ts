import assert from 'node:assert/strict';
import { appendFileSync, copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { EditorPage, newPlan } from './pages';
import { closeEditors, sampleWindow, type SampleWindow } from './sample-window';
import type { Workbench } from './server/workbench';

/** A window on a busy machine misses a change of a file now and then; the next one it sees. */
const NOTICED_MS = 10_000;

/** Changes a file, again where the window has not noticed; when it does not watch at all any more, the file is read anew by command. */
async function untilNoticed(workbench: Workbench, change: () => void, noticed: () => Promise<void>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    change();
    if (attempt >= 3) await workbench.runCommand('File: Revert File');
    try {
      return await noticed();
    } catch (error) {
      if (attempt === 5) throw error;
    }
  }
}

describe('files that are not what they seem', function () {
  this.timeout(240_000);
  let sample: SampleWindow;
  let workbench: Workbench;
  let folder: string;

  before(async () => {
    sample = await sampleWindow('sound');
    ({ workbench, folder } = sample);
    const model = readFileSync(path.join(folder, 'model.safetensors'));
    writeFileSync(path.join(folder, 'a-empty.safetensors'), '');
    writeFileSync(path.join(folder, 'b-truncated.safetensors'), model.subarray(0, model.length / 2));
    const header = Buffer.alloc(64, ' ');
    header.writeBigUInt64LE(100_000_000n * 10n);
    writeFileSync(path.join(folder, 'c-huge-header.safetensors'), header);
    writeFileSync(path.join(folder, 'd-text.safetensors'), 'This is a letter, not a model.\n'.repeat(20));
    copyFileSync(path.join(folder, 'reference.safetensors'), path.join(folder, 'e-no-model.safetensors'));
    await workbench.paletteEntries('Long-Conv Surgeon: Open Model');
  });
  after(() => closeEditors(sample));

  for (const name of ['a-empty', 'b-truncated', 'c-huge-header', 'd-text', 'e-no-model']) {
    it(`get a sentence in the viewer: ${name}`, async () => {
      await workbench.openFromExplorer(`${name}.safetensors`);
      const page = new EditorPage(await workbench.webview('[data-testid="load-failure"]'));
      const said = await page.text('load-failure');
      assert.match(said, /[a-z]\.(\n|$)/m, said);
      assert.match(said, new RegExp(`${name}\\.safetensors`));
      assert.doesNotMatch(said, /\n\s+at |undefined|\[object|fault of the extension/);
      assert.equal(await page.part('loading').count(), 0);
      assert.equal(await page.part('tensor-list').count(), name === 'e-no-model' ? 1 : 0, 'the tensors of a sound file are listed');
      await workbench.screenshot(`broken-${name}`);
      await workbench.runCommand('View: Close Editor');
    });
  }

  it('leave a plan read-only with the field named until its text is a plan again', async () => {
    let plan = await newPlan(workbench, 'sound.safetensors');
    await plan.part('partial-on').click();
    await plan.part('mask-summary').getByText('first').waitFor();
    await workbench.page.keyboard.press('Control+S');
    await workbench.dirtyTab('sound.surgery.json').waitFor({ state: 'detached' });
    const file = path.join(folder, 'sound.surgery.json');
    const good = readFileSync(file, 'utf8');
    const invalid = plan.part('plan-invalid');
    await untilNoticed(workbench, () => writeFileSync(file, good.replace(/"taps": \d+/, '"taps": -5')), () => invalid.waitFor({ timeout: NOTICED_MS }));
    plan = new EditorPage(await workbench.webview('[data-testid="plan-invalid"]'));
    assert.match(await plan.text('plan-invalid'), /sound\.surgery\.json, line \d+: sites\[0\]\.masks\[0\]\.partial\.taps/);
    assert.ok(await plan.part('validate').evaluate((button) => (button as HTMLButtonElement).disabled));
    await workbench.screenshot('plan-invalid');
    await untilNoticed(workbench, () => writeFileSync(file, good), () => invalid.waitFor({ state: 'detached', timeout: NOTICED_MS }));
    appendFileSync(file, '\n');
    assert.match(await plan.text('mask-summary'), /^first \d+ taps$/);
  });

  it('leave a plan whose model is gone with a sentence and a way back', async () => {
    writeFileSync(path.join(folder, 'orphan.surgery.json'), readFileSync(path.join(folder, 'sound.surgery.json'), 'utf8').replace('sound.safetensors', 'gone.safetensors'));
    await workbench.openFromExplorer('orphan.surgery.json');
    const plan = new EditorPage(await workbench.webview('[data-testid="model-failure"]'));
    assert.match(await plan.text('model-failure'), /gone\.safetensors/);
    copyFileSync(path.join(folder, 'model.safetensors'), path.join(folder, 'gone.safetensors'));
    copyFileSync(path.join(folder, 'config.json'), path.join(folder, 'config.json.copy'));
    await plan.part('model-retry').click();
    await plan.part('mask-summary').getByText('first').waitFor();
  });
});
