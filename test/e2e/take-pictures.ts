// npm run pictures: takes the pictures of README and docs anew, of the built pages on the sample model: its plan, a validation, a sweep and a
// search that really ran. On a machine that does nothing else, for the speeds are in the pictures.
import { statSync } from 'node:fs';
import path from 'node:path';
import type { PlanPageState } from '../../extension/core/protocol/webview';
import { SAMPLE, SampleHost } from './page-handlers';
import { PageHost } from './page-host';
import { repositoryRoot } from './server/installation';
import type { Theme } from './server/workbench';

/** Largest file, in bytes: pictures travel with every clone and every package. */
const MOST = 200_000;
const WIDTH = 1000;

const sample = new SampleHost();

/** Saves docs/images/NAME.png: the page, or a part of it. */
async function save(host: PageHost, name: string, part?: string): Promise<void> {
  // The plots are drawn, and the mouse is over none of them.
  await host.page.mouse.move(1, 1);
  await host.page.waitForTimeout(800);
  const file = path.join(repositoryRoot, 'docs/images', `${name}.png`);
  await (part ? host.page.locator(part) : host.page).screenshot({ path: file });
  const { size } = statSync(file);
  console.log(`${String(size).padStart(8)}  docs/images/${name}.png`);
  if (size > MOST) throw new Error(`${file} has ${size} bytes; a picture may have ${MOST}.`);
}

async function viewer(): Promise<void> {
  const host = await PageHost.open('model-viewer', sample.viewerHandlers(), 'light', { width: WIDTH, height: 290 });
  await host.page.locator('.strip-pictures[data-ready]').nth(1).waitFor();
  await save(host, 'model-overview');
  await host.page.setViewportSize({ width: 1120, height: 700 });
  await host.page.getByTestId('tab-filters').click();
  await host.page.locator('[data-testid="frequency-plot"] canvas').waitFor();
  await save(host, 'model-viewer');
  await host.close();
}

/** One view of the plan editor, whose jobs have these results. */
async function planView(view: string, theme: Theme, name: string, height: number, results: Partial<PlanPageState> = {}): Promise<void> {
  const host: PageHost = await PageHost.open('plan-editor', sample.planHandlers(() => host, results), theme, { width: WIDTH, height });
  await host.page.getByTestId(`tab-${view}`).click();
  if (view === 'masks') await host.page.locator('[data-testid="frequency-plot"] canvas').waitFor();
  if (view === 'sweep') await host.page.locator('[data-testid="pareto-point"][data-key^="partial:64 "]').press('Enter');
  await save(host, name);
  await host.close();
}

async function masks(): Promise<void> {
  sample.plan = { ...sample.plan, sites: [] };
  const host: PageHost = await PageHost.open('plan-editor', sample.planHandlers(() => host), 'light', { width: WIDTH, height: 900 });
  const { page } = host;
  await page.locator('[data-testid="time-plot"] canvas').waitFor();
  await page.getByTestId('partial-taps').fill('200');
  await page.getByTestId('partial-taps').press('Enter');
  await page.getByTestId('mask-summary').getByText('first 200 taps').waitFor();
  await save(host, 'mask-partial', '.masks-main');
  await page.getByTestId('partial-on').click();
  await page.getByTestId('pattern').selectOption('lowpass');
  await page.getByTestId('lowpass-bins').fill('64');
  await page.getByTestId('lowpass-bins').press('Enter');
  await page.getByTestId('negative-lags').click();
  await save(host, 'mask-lowpass-leak', '.masks-main');
  await page.getByTestId('negative-lags').click();
  await page.getByTestId('pattern').selectOption('comb');
  await page.getByTestId('comb-rows').fill('4');
  await page.getByTestId('comb-rows').press('Enter');
  await page.getByTestId('mask-summary').getByText('comb 4').waitFor();
  await save(host, 'mask-comb', '.masks-main');
  await host.close();
}

async function main(): Promise<void> {
  try {
    await viewer();
    await masks();
    const trial = { model: path.join(SAMPLE, 'model.safetensors'), data: path.join(SAMPLE, 'ecoli-table.fa'), backend: 'cpu' } as const;
    sample.plan = { ...sample.plan, sites: ['layers.0.mixer', 'layers.1.mixer'].map((site) => ({ site, masks: [{ partial: { taps: 64 } }] })) };
    const run = await sample.run();
    const sweep = await sample.kernel.call('sweep', { ...trial, windows: 16, partial: [512, 256, 128, 64, 32, 16, 8], lowpass: [0.5, 0.25], comb: [8, 4] });
    const started = performance.now();
    const search = await sample.kernel.call('search', { ...trial, windows: 16, budget: 1, planPath: path.join(SAMPLE, 'found.surgery.json') });
    const seconds = (performance.now() - started) / 1000;
    await planView('masks', 'dark', 'plan-masks', 880);
    await planView('validation', 'light', 'plan-validation', 640, { runs: [run], validation: { state: 'done', result: { run: run.id }, seconds: 3 } });
    await planView('sweep', 'dark', 'plan-sweep', 760, { sweep: { state: 'done', result: sweep, seconds: 3 } });
    await planView('search', 'light', 'plan-search', 760, { search: { state: 'done', result: search, seconds } });
    await planView('export', 'light', 'plan-export', 340);
  } finally {
    sample.dispose();
    await PageHost.closeBrowser();
  }
}

void main();
