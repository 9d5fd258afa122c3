import assert from 'node:assert/strict';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { EditorPage } from './pages';
import { choosePath, newPlan } from './pages';
import { closeEditors, sampleWindow, type SampleWindow } from './sample-window';
import { kernelHosts } from './server/processes';
import type { Workbench } from './server/workbench';

describe('a kernel host that ends', function () {
  this.timeout(240_000);
  let sample: SampleWindow;
  let workbench: Workbench;
  let plan: EditorPage;

  before(async () => {
    sample = await sampleWindow('crash');
    ({ workbench } = sample);
    // The host that ran the jobs of earlier tests would run this one's, too, and none would be started.
    endKernelHosts();
    plan = await newPlan(workbench, 'crash.safetensors');
    await plan.part('partial-on').click();
    await plan.part('mask-summary').getByText('first').waitFor();
    await plan.part('tab-validation').click();
    await plan.part('choose-data').click();
    await choosePath(workbench, path.join(sample.folder, 'ecoli-validation.fa'));
    await plan.part('data-name').getByText('ecoli-validation.fa').waitFor();
  });
  after(() => closeEditors(sample));

  function endKernelHosts(): void {
    for (const pid of kernelHosts(sample.editor.runFolder)) process.kill(pid, 'SIGKILL');
  }

  /** Starts a validation and gives the process that runs it. */
  async function startValidation(button: string): Promise<number> {
    const before = kernelHosts(sample.editor.runFolder);
    await plan.part(button).click();
    for (let i = 0; i < 200; i++) {
      const started = kernelHosts(sample.editor.runFolder).filter((pid) => !before.includes(pid));
      if (started.length > 0) {
        await plan.part('validation-cancel').waitFor();
        return started[0];
      }
      await sleep(50);
    }
    throw new Error('No kernel host was started for the validation.');
  }

  it('is reported with its job when it is killed in the middle of a validation, and the page goes on', async () => {
    const pid = await startValidation('validate');
    await sleep(300);
    process.kill(pid, 'SIGKILL');
    await plan.part('validation-failure').waitFor();
    const said = await plan.text('validation-failure');
    assert.match(said, /kernel host was ended by SIGKILL while it ran "validate"/);
    assert.doesNotMatch(said, /\n\s+at /);
    await workbench.screenshot('kernel-host-killed');
  });

  it('is replaced on retry, and cancelling ends only the job', async () => {
    await startValidation('validation-retry');
    await plan.part('validation-cancel').click();
    await plan.part('validation-failure').getByText(/cancelled/).waitFor();
  });

  it('lets a retry run to its end', async () => {
    await plan.part('clear-data').click();
    await plan.part('validation-retry').click();
    await plan.part('site-table').waitFor({ timeout: 120_000 });
  });

  it('answers the pages again after it was killed between two questions', async () => {
    await plan.part('tab-masks').click();
    const before = await plan.text('filter-error');
    endKernelHosts();
    await sleep(500);
    await plan.part('partial-taps').fill('64');
    await plan.part('partial-taps').press('Enter');
    await plan.changed('filter-error', before);
    assert.equal(await plan.part('request-failure').count(), 0);
  });
});
