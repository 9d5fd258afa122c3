import assert from 'node:assert/strict';
import path from 'node:path';
import type { ModelSummary } from '../../extension/core/protocol/kernel-host';
import { SampleHost } from './page-handlers';
import { PageHost } from './page-host';
import { repositoryRoot } from './server/installation';

const LARGEST_MESSAGE = 2_000_000;

/** The pages against the kernel host, without a workbench around them. */
describe('the pages alone', function () {
  this.timeout(120_000);
  const sample = new SampleHost();
  after(() => sample.dispose());

  const picture = (host: PageHost, name: string): Promise<Buffer> => host.page.locator('.masks-main').screenshot({ path: path.join(repositoryRoot, 'out/screenshots', `${name}.png`) });

  it('plan editor: figures follow a drag, in small messages', async () => {
    const host: PageHost = await PageHost.open('plan-editor', sample.planHandlers(() => host), 'light', { width: 1000, height: 900 });
    try {
      const handle = host.page.getByTestId('cut-handle');
      await host.page.locator('[data-testid="time-plot"] canvas').waitFor();
      const box = (await handle.boundingBox())!;
      await host.page.evaluate(`window.frames60 = 0; (function tick() { window.frames60++; requestAnimationFrame(tick); })()`);
      await host.page.mouse.move(box.x + 6, box.y + 20);
      await host.page.mouse.down();
      const [started, framesBefore] = [performance.now(), await host.page.evaluate<number>('window.frames60')];
      host.answerTimes.clear();
      for (let step = 1; step <= 60; step++) await host.page.mouse.move(box.x + 6 - 5 * step, box.y + 20);
      const frames = (await host.page.evaluate<number>('window.frames60')) - framesBefore;
      const rate = (1000 * frames) / (performance.now() - started);
      await host.page.mouse.up();
      await host.page.getByTestId('mask-summary').getByText(/first \d+ taps/).waitFor();
      const answers = host.answerTimes.get('preview')!.sort((a, b) => a - b);
      assert.ok(answers.length >= 3, `${answers.length} previews during the drag`);
      assert.ok(answers[answers.length >> 1] <= 100, `median answer ${answers[answers.length >> 1].toFixed(0)} ms`);
      assert.ok(rate >= 20, `${rate.toFixed(0)} frames a second`);
      assert.ok(host.largestMessage > 1000 && host.largestMessage <= LARGEST_MESSAGE, `largest message ${host.largestMessage} bytes`);
      console.log(`      median answer ${answers[answers.length >> 1].toFixed(0)} ms, ${rate.toFixed(0)} frames/s, largest message ${(host.largestMessage / 1000).toFixed(0)} kB`);
      assert.deepEqual(host.consoleErrors, []);
    } finally {
      await host.close();
    }
  });

  it('plan editor: cells by keyboard alone; pictures of masks', async () => {
    sample.plan = { ...sample.plan, sites: [] };
    const host: PageHost = await PageHost.open('plan-editor', sample.planHandlers(() => host), 'light', { width: 1000, height: 900 });
    try {
      const { page } = host;
      const map = page.getByTestId('cell-map');
      await page.locator('[data-testid="time-plot"] canvas').waitFor();
      await page.getByTestId('partial-taps').fill('200');
      await page.getByTestId('partial-taps').press('Enter');
      await page.getByTestId('mask-summary').getByText('first 200 taps').waitFor();
      await page.waitForTimeout(600);
      await picture(host, 'mask-partial');
      await page.getByTestId('partial-on').click();
      await page.getByTestId('pattern').selectOption('lowpass');
      await page.getByTestId('lowpass-bins').fill('64');
      await page.getByTestId('lowpass-bins').press('Enter');
      await page.getByTestId('negative-lags').click();
      await page.waitForTimeout(600);
      await picture(host, 'mask-lowpass-leak');
      // The read-out names the lag under the pointer: left of 0 there are negative ones.
      const plot = (await page.locator('[data-testid="time-plot"] .u-over').boundingBox())!;
      await page.mouse.move(plot.x + plot.width / 8, plot.y + 20);
      await page.getByTestId('time-plot-readout').getByText(/^lags? -\d/).waitFor();
      await page.getByTestId('negative-lags').click();
      await page.getByTestId('pattern').selectOption('comb');
      await page.waitForTimeout(600);
      await picture(host, 'mask-comb');
      await page.getByTestId('pattern').selectOption('none');
      await page.getByTestId('mask-summary').getByText('dense').waitFor();
      await map.focus();
      await map.press('ArrowRight');
      await map.press('ArrowDown');
      await map.press(' ');
      await page.getByTestId('mask-summary').getByText('126 of 128 cells').waitFor();
      await map.press('Shift+ArrowDown');
      await page.getByTestId('mask-summary').getByText('124 of 128 cells').waitFor();
      assert.match(await page.locator('.only-spoken[aria-live]').allInnerTexts().then((texts) => texts.join(' ')), /n1 2, band 1 · −?-?\d+ dB/);
      assert.deepEqual(host.consoleErrors, []);
    } finally {
      await host.close();
    }
  });

  it('model viewer: 10,000 tensors are searched and scrolled without delay', async () => {
    const model = await sample.model();
    const tensors: ModelSummary['tensors'] = Array.from({ length: 10_000 }, (_, i) => ({ name: `backbone.layers.${i}.weight`, dtype: 'F32', shape: [i + 1, 8], bytes: 32 * (i + 1) }));
    const host = await PageHost.open('model-viewer', { ...sample.viewerHandlers(), load: () => ({ kind: 'model', model: { ...model, tensors } }) }, 'light');
    try {
      await host.page.getByTestId('tab-tensors').click();
      const list = host.page.getByTestId('tensor-list');
      await list.evaluate((element) => { element.scrollTop = element.scrollHeight; });
      await list.getByText('backbone.layers.9999.weight').waitFor();
      assert.ok(await list.locator('.tensor-row').count() < 100, 'only the visible rows exist');
      const started = performance.now();
      await host.page.getByTestId('tensor-search').fill('777');
      await host.page.getByTestId('tensor-count').getByText(/^\d+ of 10,000 tensors$/).waitFor();
      assert.ok(performance.now() - started < 1000);
      assert.deepEqual(host.consoleErrors, []);
    } finally {
      await host.close();
    }
  });
});
