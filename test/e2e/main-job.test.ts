import assert from 'node:assert/strict';
import { existsSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import type { SurgeryPlan } from '../../extension/core/plan/plan';
import type { EditorPage } from './pages';
import { choosePath, modelViewer, newPlan } from './pages';
import { closeEditors, sampleWindow, type SampleWindow } from './sample-window';
import { repositoryRoot } from './server/installation';
import type { Workbench } from './server/workbench';

const PLAN = 'model.surgery.json';

interface Manifest { readonly contributes: { readonly commands: readonly { readonly title: string; readonly category: string }[] } }

const packageFile = <T>(name: string): T => JSON.parse(readFileSync(path.join(repositoryRoot, name), 'utf8')) as T;

/** The main job as a person does it: each step starts where the one before ended. */
describe('from the sample model to exported files', function () {
  this.timeout(120_000);
  this.bail(true);
  let sample: SampleWindow;
  let errorsBefore: number;
  let workbench: Workbench;
  let folder: string;
  let plan: EditorPage;
  const planFile = (): string => path.join(folder, PLAN);
  const saved = (): SurgeryPlan => JSON.parse(readFileSync(planFile(), 'utf8')) as SurgeryPlan;

  before(async () => {
    sample = await sampleWindow('model');
    ({ workbench, folder } = sample);
    errorsBefore = workbench.consoleErrors.length;
  });
  after(() => closeEditors(sample));

  it('offers the commands in the palette', async () => {
    const [{ title, category }] = packageFile<Manifest>('package.json').contributes.commands;
    const shown = packageFile<Record<string, string>>('package.nls.json')[title.slice(1, -1)];
    const entries = await workbench.paletteEntries(`${category}: ${shown}`);
    assert.ok(entries.some((entry) => entry.includes(shown)), `palette: ${entries.join(' | ')}`);
    await workbench.screenshot('workbench');
  });

  it('opens the model with one click and shows what it is', async () => {
    await workbench.openFromExplorer('model.safetensors');
    const viewer = await modelViewer(workbench);
    assert.equal(await viewer.text('fact-parameters'), '436,096');
    assert.equal(await viewer.part('site-list-item').count(), 2);
    assert.match(await viewer.text('notes'), /trained for this project/i);
    await viewer.part('tab-filters').click();
    await viewer.part('frequency-plot').locator('canvas').waitFor();
    await viewer.part('channel').fill('17');
    await viewer.part('channel').press('Enter');
    await viewer.part('channel-map').focus();
    await viewer.part('channel-map').press('ArrowDown');
    assert.equal(await viewer.part('channel').inputValue(), '18');
    await viewer.part('tab-tensors').click();
    await viewer.part('tensor-search').fill('filter_fn');
    assert.match(await viewer.text('tensor-count'), /^\d+ of \d+ tensors$/);
    await viewer.part('tab-filters').click();
    await workbench.screenshot('model-viewer');
  });

  it('makes a plan beside the model', async () => {
    plan = await newPlan(workbench, 'model.safetensors');
    assert.equal(await plan.text('plan-name'), PLAN);
    assert.deepEqual(saved().sites, []);
    assert.equal(await plan.text('mask-summary'), 'dense');
    assert.equal(await plan.part('model-warning').count(), 0);
  });

  it('cuts the filter by dragging, with the figures in step before the document changes', async () => {
    const before = await plan.text('filter-error');
    await plan.drag(workbench, 'cut-handle', -150, async () => {
      await plan.changed('filter-error', before);
      assert.notEqual(await plan.part('partial-taps').inputValue(), '1024');
      assert.equal(await workbench.dirtyTab(PLAN).count(), 0);
    });
    await workbench.dirtyTab(PLAN).waitFor();
    assert.match(await plan.text('mask-summary'), /^first \d+ taps$/);
    assert.deepEqual(saved().sites, [], 'nothing is saved yet');
  });

  it('undoes and redoes with the keys', async () => {
    const masked = await plan.text('mask-summary');
    await workbench.page.keyboard.press('Control+Z');
    assert.equal(await plan.changed('mask-summary', masked), 'dense');
    await workbench.dirtyTab(PLAN).waitFor({ state: 'detached' });
    await workbench.page.keyboard.press('Control+Y');
    assert.equal(await plan.changed('mask-summary', 'dense'), masked);
  });

  it('keeps slider, number and handle in step', async () => {
    await plan.part('partial-taps').fill('512');
    await plan.part('partial-taps').press('Enter');
    await plan.part('mask-summary').getByText('first 512 taps').waitFor();
    assert.equal(await plan.part('partial-taps-slider').inputValue(), '512');
    assert.equal(await plan.part('cut-handle').getAttribute('aria-valuenow'), '512');
    await plan.part('cut-handle').press('ArrowLeft');
    await plan.part('mask-summary').getByText('first 511 taps').waitFor();
    await plan.part('cut-handle').press('ArrowRight');
    await plan.part('mask-summary').getByText('first 512 taps').waitFor();
  });

  it('masks frequencies by pattern, by edge and by painting', async () => {
    await plan.part('partial-on').click();
    await plan.part('mask-summary').getByText('dense').waitFor();
    await plan.part('pattern').selectOption('lowpass');
    await plan.part('mask-summary').getByText('lowpass 0.5').waitFor();
    await plan.part('high-edge').press('ArrowLeft');
    await plan.part('mask-summary').getByText(/lowpass 0\.49/).waitFor();
    await plan.part('pattern').selectOption('comb');
    await plan.part('mask-summary').getByText('comb 8 of 16 rows').waitFor();
    assert.notEqual(await plan.text('leak'), '0%');
    await plan.part('cell-map').focus();
    await plan.part('cell-map').press('ArrowRight');
    await plan.part('cell-map').press(' ');
    await plan.part('mask-summary').getByText(/of 128 cells/).waitFor();
    await workbench.screenshot('plan-editor-painted');
    await plan.part('pattern').selectOption('block');
    await plan.part('block-2').fill('8');
    await plan.part('block-2').press('Enter');
    await plan.part('mask-summary').getByText('block 8.8.8').waitFor();
  });

  it('copies the masks to all sites and saves', async () => {
    await plan.part('copy-to-all').click();
    await plan.part('site-list-item').nth(1).getByText('block 8.8.8').waitFor();
    await workbench.page.keyboard.press('Control+S');
    await workbench.dirtyTab(PLAN).waitFor({ state: 'detached' });
    assert.deepEqual(saved().sites.map(({ masks }) => masks[0].frequency?.keep), Array(2).fill({ kind: 'block', counts: [8, 8, 8] }));
  });

  it('validates on data, with progress, and shows time beside error', async () => {
    await workbench.runCommand('Long-Conv Surgeon: Validate Plan');
    await plan.part('site-table').waitFor({ timeout: 120_000 });
    assert.equal(await plan.part('quality-table').count(), 0, 'no data, no perplexity');
    await plan.part('choose-data').click();
    await choosePath(workbench, path.join(folder, 'ecoli-table.fa'));
    await plan.part('data-name').getByText('ecoli-table.fa').waitFor();
    await plan.part('validate').click();
    await plan.part('validation-progress').getByText(/\w/).waitFor();
    await plan.part('quality-table').waitFor({ timeout: 180_000 });
    const quality = await plan.text('quality-table');
    // The rows "dense", "block:8.8.8:conjugate" and its re-causalised form of the model's reference files.
    assert.match(quality, /Dense\s+3\.758/);
    assert.match(quality, /Masked\s+3\.75[56]/);
    assert.match(quality, /Re-causalised\s+3\.77[78]/);
    assert.match(await plan.text('site-table'), /ms[\s\S]*×/);
    await workbench.screenshot('plan-editor-validated');
  });

  it('exports, and the files are there', async () => {
    await workbench.runCommand('Long-Conv Surgeon: Export Plan');
    for (const { format, file } of [{ format: 'safetensors', file: 'masked.safetensors' }, { format: 'onnx', file: 'masked.onnx' }]) {
      await plan.part('export-format').selectOption(format);
      await plan.part('export').click();
      await choosePath(workbench, path.join(folder, file));
      await plan.part('export-done').getByText(file).first().waitFor({ timeout: 120_000 });
      assert.ok(statSync(path.join(folder, file)).size > 100_000);
    }
    assert.ok(!existsSync(path.join(folder, 'masked.safetensors.tmp')));
    await workbench.screenshot('plan-editor-exported');
  });

  it('logged no error in the browser', () => {
    assert.deepEqual(workbench.consoleErrors.slice(errorsBefore), []);
  });

  it('asked no host but its own server', () => {
    const foreign = [...workbench.requestedHosts].filter((host) => host !== new URL(sample.editor.origin).host && !host.endsWith('.vscode-resource.vscode-cdn.net'));
    assert.deepEqual(foreign, []);
  });
});
