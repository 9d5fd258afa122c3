import * as assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { exportSafetensors } from '../../../extension/core/export/safetensors';
import { openModel } from '../../../extension/core/families/registry';
import { fingerprint } from '../../../extension/core/formats/fingerprint';
import { siteFilter } from '../../../extension/core/plan/apply';
import type { SurgeryPlan } from '../../../extension/core/plan/plan';
import type { SiteFilter } from '../../../extension/core/plan/site-filter';
import { loadEngine } from '../../../extension/kernel-host/addon';
import { fixture, temporaryFolder } from '../support/files';

const GOLDEN = fixture('golden');
/** Long real models, whose filters take a second each; ckconv-pmnist30 is of the same family. */
const LONG = ['ckconv-speech30'];
const engine = loadEngine();

describe('baked exports of every golden model', () => {
  const temporary = temporaryFolder();
  for (const name of readdirSync(GOLDEN).filter((golden) => !LONG.includes(golden))) {
    it(`${name}: the file opens again, as the same model with the cut filters`, async () => {
      const source = path.join(GOLDEN, name, 'model.safetensors');
      const folder = temporary.file(name);
      await fs.mkdir(folder);
      await fs.copyFile(path.join(GOLDEN, name, 'config.json'), path.join(folder, 'config.json'));
      const model = await openModel(source);
      const masks = [{ partial: { taps: 4 } }];
      const filters = new Map<string, SiteFilter>();
      for (const site of model.sites) filters.set(site.id, await siteFilter(model, site, masks, engine, { recausalise: false }));
      const options = Object.fromEntries(model.options.map(({ name: option, value }) => [option, value]));
      const plan: SurgeryPlan = {
        version: 1, model: { path: source, family: model.family, fingerprint: await fingerprint(source), options }, sites: model.sites.map(({ id }) => ({ site: id, masks })),
      };
      const output = path.join(folder, 'model.safetensors');
      await exportSafetensors({ model, plan, filters, form: 'baked', recausalise: false, output });
      const baked = await openModel(output);
      try {
        const described = ({ family, task, vocabularySize, sites }: typeof model): unknown => [family, task, vocabularySize, sites.map(({ id, channels, direction }) => [id, channels, direction])];
        assert.deepEqual(described(baked), described(model));
        for (const site of baked.sites) {
          assert.equal(site.storage, 'explicit');
          const [cut, own] = [filters.get(site.id)!.parts[0].rows, await baked.filter(site.id, { channels: [0, 1], taps: [0, 4] }, engine)];
          assert.deepEqual([...own], [...cut.subarray(0, 4)]);
          assert.ok(own.some((value) => value !== 0));
        }
      } finally {
        await baked.close();
        await model.close();
      }
    });
  }
});
