import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import type { SearchResult, SweepResult, ValidationRun } from '../../extension/core/protocol/webview';
import { SAMPLE, SampleHost } from './page-handlers';
import { PageHost } from './page-host';
import { repositoryRoot } from './server/installation';
import type { Theme } from './server/workbench';

interface AxeResult { readonly violations: readonly { readonly id: string; readonly help: string; readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[] }[] }

const AXE = readFileSync(createRequire(__filename).resolve('axe-core/axe.min.js'), 'utf8');
const THEMES: readonly Theme[] = ['light', 'dark', 'high-contrast', 'high-contrast-light'];

/** axe-core over every view of both pages in every theme, with real content in them. */
describe('accessibility of the pages', function () {
  this.timeout(180_000);
  const sample = new SampleHost();
  let sweep: SweepResult;
  let search: SearchResult;
  let run: ValidationRun;

  before(async () => {
    const [model, data] = [path.join(SAMPLE, 'model.safetensors'), path.join(SAMPLE, 'ecoli-table.fa')];
    sample.plan = { ...sample.plan, sites: ['layers.0.mixer', 'layers.1.mixer'].map((site) => ({ site, masks: [{ partial: { taps: 64 } }] })) };
    sweep = await sample.kernel.call('sweep', { model, data, windows: 1, partial: [64, 8], lowpass: [0.25], backend: 'cpu' });
    run = await sample.run();
    search = {
      plan: sample.plan, report: run.report, tried: [{ phase: 'sensitivity', masks: [{ site: 'layers.0.mixer', mask: 'first 64 taps' }], change: 0.2, speedup: 1.3, accepted: true }],
      budget: 1, change: 0.4, speedup: 1.4, searchWindows: 1, verdict: 'The long convolutions run faster.',
    };
  });
  after(async () => {
    sample.dispose();
    await PageHost.closeBrowser();
  });

  /** All rules in one theme; in the others those that depend on colours. */
  async function violations(host: PageHost, theme: Theme): Promise<string[]> {
    // By evaluation, which the page's content security policy does not stop: the page itself stays under it.
    await host.page.evaluate(AXE);
    const runOnly = theme === 'light' ? { type: 'tag', values: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] } : { type: 'rule', values: ['color-contrast', 'link-in-text-block'] };
    const { violations: found } = await host.page.evaluate((only) => (window as unknown as { axe: { run(options: unknown): Promise<AxeResult> } }).axe.run({ runOnly: only }), runOnly);
    return found.flatMap(({ id, help, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${help}\n    ${html.slice(0, 200)}\n    ${failureSummary.replace(/\s+/g, ' ').slice(0, 300)}`));
  }

  it('model viewer: no violation in any view and theme', async () => {
    const host = await PageHost.open('model-viewer', sample.viewerHandlers(), 'light');
    const found: string[] = [];
    try {
      for (const theme of THEMES) {
        await host.load(theme);
        for (const view of ['overview', 'filters', 'tensors']) {
          await host.page.getByTestId(`tab-${view}`).click();
          if (view === 'overview') await host.page.locator('.strip-pictures[data-ready]').nth(1).waitFor();
          if (view === 'filters') await host.page.locator('[data-testid="frequency-plot"] canvas').waitFor();
          await screenshot(host, `viewer-${view}-${theme}`);
          found.push(...(await violations(host, theme)).map((line) => `${view}, ${theme}: ${line}`));
        }
      }
      assert.equal(found.length, 0, `\n${found.join('\n')}`);
      assert.deepEqual(host.consoleErrors, []);
    } finally {
      await host.close();
    }
  });

  it('plan editor: no violation in any view and theme', async () => {
    const host: PageHost = await PageHost.open('plan-editor', sample.planHandlers(() => host, {
      runs: [run, { ...run, id: 'older' }], validation: { state: 'done', result: { run: 'run' }, seconds: 3 },
      sweep: { state: 'done', result: sweep, seconds: 3 }, search: { state: 'done', result: search, seconds: 3 },
    }), 'light');
    const found: string[] = [];
    try {
      for (const theme of THEMES) {
        await host.load(theme);
        for (const view of ['masks', 'validation', 'sweep', 'search', 'export']) {
          await host.page.getByTestId(`tab-${view}`).click();
          if (view === 'masks') await host.page.locator('[data-testid="frequency-plot"] canvas').waitFor();
          if (view === 'sweep') await host.page.getByTestId('pareto-point').first().click();
          await screenshot(host, `plan-${view}-${theme}`);
          found.push(...(await violations(host, theme)).map((line) => `${view}, ${theme}: ${line}`));
        }
      }
      assert.equal(found.length, 0, `\n${found.join('\n')}`);
      assert.deepEqual(host.consoleErrors, []);
    } finally {
      await host.close();
    }
  });

  async function screenshot(host: PageHost, name: string): Promise<void> {
    await host.page.screenshot({ path: path.join(repositoryRoot, 'out/screenshots', `${name}.png`) });
  }
});
