import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { SurgeryPlan } from '../../extension/core/plan/plan';
import { choosePath, newPlan, planEditor, type EditorPage } from './pages';
import { closeEditors, sampleWindow, type SampleWindow } from './sample-window';
import type { Workbench } from './server/workbench';

/** Trying many masks from the editor: kept runs, a sweep whose points open as plans, and a search within a budget. */
describe('runs, sweeps and searches in the plan editor', function () {
  this.timeout(400_000);
  this.bail(true);
  let sample: SampleWindow;
  let errorsBefore: number;
  let workbench: Workbench;
  let folder: string;
  let plan: EditorPage;
  const saved = (): SurgeryPlan => JSON.parse(readFileSync(path.join(folder, 'sweep.surgery.json'), 'utf8')) as SurgeryPlan;

  before(async () => {
    sample = await sampleWindow('sweep');
    ({ workbench, folder } = sample);
    errorsBefore = workbench.consoleErrors.length;
    plan = await newPlan(workbench, 'sweep.safetensors');
    await plan.part('tab-validation').click();
    await plan.part('choose-data').click();
    await choosePath(workbench, path.join(folder, 'ecoli-table.fa'));
    await plan.part('data-name').getByText('ecoli-table.fa').waitFor();
  });
  after(() => closeEditors(sample));

  it('sweeps, and shows quality against speed while rows come in', async () => {
    await plan.part('tab-sweep').click();
    await plan.part('sweep-partial').fill('512, 64, 8');
    await plan.part('sweep-lowpass').fill('0.25');
    await plan.part('sweep-comb').fill('');
    await plan.part('sweep-windows').fill('4');
    await plan.part('sweep').click();
    await plan.part('pareto-point').first().waitFor({ timeout: 60_000 });
    await plan.part('sweep-done').getByText('4 settings').waitFor({ timeout: 120_000 });
    assert.equal(await plan.part('pareto-point').count(), 4);
    assert.equal(await plan.part('sweep-row').count(), 4);
  });

  it('says in the status bar what kernels run on', async () => {
    await workbench.page.locator('.statusbar-item', { hasText: /(CPU|NVIDIA|CUDA).*fp32/ }).waitFor();
  });

  it('opens a point of the sweep as this plan, by keyboard, in one undo step', async () => {
    await plan.part('pareto-point').first().focus();
    await plan.part('pareto-point').first().press('ArrowRight');
    const focused = plan.frame.locator('[data-testid="pareto-point"]:focus');
    assert.match((await focused.getAttribute('aria-label'))!, /^partial:64: [\d.]+× speed-up, perplexity [+−]/);
    await focused.press('Enter');
    await plan.part('sweep-chosen').getByText('partial:64').waitFor();
    await workbench.screenshot('sweep');
    await plan.part('sweep-use').click();
    await plan.part('mask-summary').getByText('first 64 taps').waitFor();
    await plan.part('site-list-item').nth(1).getByText('first 64 taps').waitFor();
    await workbench.page.keyboard.press('Control+Z');
    await plan.part('mask-summary').getByText('dense').waitFor();
    await workbench.page.keyboard.press('Control+Y');
    await plan.part('mask-summary').getByText('first 64 taps').waitFor();
  });

  it('keeps validations, marks those of another plan, and saves their reports', async () => {
    await plan.part('tab-validation').click();
    await plan.part('validate').click();
    await plan.part('quality-table').waitFor({ timeout: 120_000 });
    assert.match(await plan.text('verdict'), /The masked convolutions .*perplexity/);
    assert.equal(await plan.part('validation-stale').count(), 0);
    for (const [format, file, expected] of [['csv', 'report.csv', /^site,channels,/], ['markdown', 'report.md', /^# Validation of sweep\.surgery\.json\n/]] as const) {
      await plan.part(`save-${format}`).click();
      await choosePath(workbench, path.join(folder, file));
      for (let i = 0; i < 50 && !existsSync(path.join(folder, file)); i++) await workbench.page.waitForTimeout(100);
      assert.match(readFileSync(path.join(folder, file), 'utf8'), expected);
    }
    await plan.part('tab-masks').click();
    await plan.part('clear-all').click();
    await plan.part('mask-summary').getByText('dense').waitFor();
    await plan.part('tab-validation').click();
    await plan.part('validation-stale').waitFor();
    await plan.part('validate').click();
    await plan.part('run-row').nth(1).waitFor({ timeout: 120_000 });
    assert.match(await plan.text('verdict'), /masks no site/);
    await plan.part('run-show').nth(1).click();
    await plan.part('validation-stale').waitFor();
    await workbench.screenshot('validation-runs');
  });

  it('finds a mask within a budget and opens it as a new plan', async () => {
    await plan.part('tab-search').click();
    await plan.part('search-budget').fill('1');
    await plan.part('search-windows').fill('4');
    await plan.part('search').click();
    await plan.part('search-tried').waitFor({ timeout: 60_000 });
    await plan.part('search-found').waitFor({ timeout: 180_000 });
    await workbench.screenshot('search');
    assert.match(await plan.text('search-found'), /within the budget of 1%|does not rise/);
    await plan.part('search-open').click();
    await workbench.tab('sweep.found.surgery.json').waitFor();
    const found = await planEditor(workbench);
    await found.part('plan-name').getByText('sweep.found.surgery.json').waitFor();
    assert.notEqual(await found.text('mask-summary'), 'dense');
    assert.deepEqual(saved().sites, [], 'the plan that the search was started from is as it was');
  });

  it('logged no error in the browser', () => {
    assert.deepEqual(workbench.consoleErrors.slice(errorsBefore), []);
  });
});
