import * as assert from 'node:assert/strict';
import { exportSafetensors } from '../../../extension/core/export/safetensors';
import { openModel } from '../../../extension/core/families/registry';
import { siteFilter } from '../../../extension/core/plan/apply';
import { checkPlan } from '../../../extension/core/plan/check';
import { makePlan } from '../../../extension/core/plan/make';
import type { ChannelMask, SurgeryPlan } from '../../../extension/core/plan/plan';
import type { SiteFilter } from '../../../extension/core/plan/site-filter';
import { fixture, temporaryFolder } from '../support/files';
import { FINGERPRINT, frequency } from './support/plans';
import { spectralEngine } from './support/spectral-engine';

const SAMPLE = fixture('samples/hyenadna-tiny-1k-ecoli/model.safetensors');
const block = frequency({ kind: 'block', counts: [8, 16, 8] });

const CASES: readonly (readonly [what: string, masks: readonly ChannelMask[]])[] = [
  ['partial', [{ partial: { taps: 64, taper: 8 } }]],
  ['block', [{ frequency: block }]],
  ['block, then partial', [{ frequency: block, partial: { taps: 64 } }]],
  ['channel ranges of each', [{ channels: [0, 8], frequency: block }, { channels: [8, 20], partial: { taps: 9 } }, { channels: [64, 128], frequency: block, partial: { taps: 64 } }]],
];

describe('the sample, exported as baked and opened again', () => {
  const folder = temporaryFolder();

  for (const [what, masks] of CASES) {
    for (const recausalise of [false, true]) {
      it(`has the filters of the plan bit for bit: ${what}${recausalise ? ', re-causalised' : ''}`, async () => {
        const model = await openModel(SAMPLE);
        try {
          const request = { model: SAMPLE, planPath: folder.file('p.surgery.json'), partial: 8 };
          const made = await makePlan(model, request, spectralEngine, FINGERPRINT);
          const plan: SurgeryPlan = { ...made, sites: made.sites.map(({ site }) => ({ site, masks })) };
          checkPlan(plan, model);
          const filters = new Map<string, SiteFilter>();
          for (const site of model.sites) filters.set(site.id, await siteFilter(model, site, masks, spectralEngine, { recausalise }));
          const output = folder.file(`${what}-${recausalise}/model.safetensors`);
          await folder.write(`${what}-${recausalise}/.keep`, '');
          await exportSafetensors({ model, plan, filters, form: 'baked', recausalise, output });
          const reopened = await openModel(output);
          try {
            for (const site of reopened.sites) {
              const { parts } = await siteFilter(reopened, site, [], spectralEngine, { recausalise: false });
              assert.deepEqual(parts, filters.get(site.id)?.parts);
            }
          } finally {
            await reopened.close();
          }
        } finally {
          await model.close();
        }
      });
    }
  }
});
