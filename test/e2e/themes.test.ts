import assert from 'node:assert/strict';
import type { EditorPage } from './pages';
import { modelViewer, newPlan, planEditor } from './pages';
import { closeEditors, sampleWindow, type SampleWindow } from './sample-window';
import type { Theme, Workbench } from './server/workbench';

const BODY_CLASS: Record<Theme, string> = { light: 'vscode-light', dark: 'vscode-dark', 'high-contrast': 'vscode-high-contrast', 'high-contrast-light': 'vscode-high-contrast-light' };

describe('the editors in every theme', function () {
  this.timeout(240_000);
  let sample: SampleWindow;
  let workbench: Workbench;
  let plan: EditorPage;

  before(async () => {
    sample = await sampleWindow('themes');
    ({ workbench } = sample);
    plan = await newPlan(workbench, 'themes.safetensors');
    await plan.part('pattern').selectOption('comb');
    await plan.part('partial-taps').fill('600');
    await plan.part('partial-taps').press('Enter');
    await plan.part('mask-summary').getByText('first 600 taps').waitFor();
  });
  after(async () => {
    await workbench.setTheme('dark');
    await closeEditors(sample);
  });

  /** What a canvas shows, as text: equal only when every pixel is. */
  const picture = (page: EditorPage, testid: string): Promise<string> =>
    page.part(testid).evaluate((element) => ((element instanceof HTMLCanvasElement ? element : element.querySelector('canvas')) as HTMLCanvasElement).toDataURL());

  for (const theme of ['light', 'dark', 'high-contrast', 'high-contrast-light'] as const) {
    it(`show plots and maps in its colours: ${theme}`, async () => {
      await workbench.tab('themes.surgery.json').click();
      const before = await picture(plan, 'time-plot');
      await workbench.setTheme(theme);
      await plan.frame.locator(`body.${BODY_CLASS[theme]}`).waitFor();
      if (theme !== 'light') {
        assert.notEqual(await picture(plan, 'time-plot'), before, 'the plot was painted again');
      }
      // Off the tab, which would show its tooltip.
      await workbench.page.mouse.move(800, 790);
      await workbench.page.waitForTimeout(700);
      await workbench.screenshot(`plan-editor-${theme}`);
      await workbench.tab('themes.safetensors').click();
      const viewer = await modelViewer(workbench);
      await viewer.part('tab-filters').click();
      await viewer.part('time-plot').locator('canvas').waitFor();
      await workbench.page.mouse.move(800, 790);
      await workbench.page.waitForTimeout(700);
      await workbench.screenshot(`model-viewer-${theme}`);
      await workbench.tab('themes.surgery.json').click();
      plan = await planEditor(workbench);
      await plan.part('time-plot').locator('canvas').waitFor();
    });
  }
});
