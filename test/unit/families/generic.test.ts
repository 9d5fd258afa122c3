import * as assert from 'node:assert/strict';
import { exportSafetensors } from '../../../extension/core/export/safetensors';
import { openModel } from '../../../extension/core/families/registry';
import { type TensorEntry, writeSafetensors } from '../../../extension/core/formats/safetensors/write';
import { siteFilter } from '../../../extension/core/plan/apply';
import type { SurgeryPlan } from '../../../extension/core/plan/plan';
import { noise } from '../graph/support/measure';
import { FINGERPRINT } from '../plan/support/plans';
import { spectralEngine } from '../plan/support/spectral-engine';
import { temporaryFolder } from '../support/files';

const KERNEL = noise(2 * 3 * 100, 1);
const BACKWARD = noise(2 * 3 * 100, 2);
const RING = noise(4 * 64, 3);
const entry = (name: string, shape: number[], data: Float32Array): TensorEntry => ({ name, dtype: 'F32', shape, data: new Uint8Array(data.buffer) });

describe('a model of no known family, opened by the filters that its user names', () => {
  const folder = temporaryFolder();
  const write = async (config?: unknown): Promise<string> => {
    await writeSafetensors(folder.file('model.safetensors'), [
      entry('net.0.long', [2, 3, 100], KERNEL), entry('net.0.back', [2, 3, 100], BACKWARD), entry('net.1.ring', [4, 64], RING), entry('net.1.bias', [3], noise(3, 4)),
    ]);
    await folder.write('config.json', JSON.stringify(config ?? {}));
    return folder.file('model.safetensors');
  };
  const sites = [
    { tensor: 'net.0.long', backward: 'net.0.back', direction: 'bidirectional' }, { id: 'ring', tensor: 'net.1.ring', direction: 'circular' },
    { id: 'flipped', tensor: 'net.1.ring', flipped: true },
  ];

  it('has them as sites, in lag order', async () => {
    const model = await openModel(await write({ longconv_sites: sites }));
    try {
      assert.deepEqual(model.sites.map(({ id, channels, taps, direction, writeBack }) => [id, channels, taps, direction, writeBack[0]]), [
        ['net.0.long', 6, 100, 'bidirectional', 'exact'], ['ring', 4, 64, 'circular', 'exact'], ['flipped', 4, 64, 'causal', 'exact'],
      ]);
      const rows = await model.filter('net.0.long', { channels: [5, 6], taps: [0, 200] }, spectralEngine);
      for (let j = 0; j < 100; j++) {
        assert.equal(rows[j], KERNEL[500 + j]);
        assert.equal(rows[199 - j], BACKWARD[500 + j]);
      }
      assert.deepEqual([...(await model.filter('flipped', { channels: [1, 2], taps: [0, 64] }, spectralEngine))], [...RING.slice(64, 128)].reverse());
      await assert.rejects(model.graph(), /cannot be run: only its filters are known/);
    } finally {
      await model.close();
    }
  });

  it('writes masked filters back into its own tensors', async () => {
    const model = await openModel(await write({ longconv_sites: sites.slice(0, 2) }));
    const masks = [{ partial: { taps: 10 } }];
    try {
      const plan: SurgeryPlan = { version: 1, model: { path: 'm', family: 'generic', fingerprint: FINGERPRINT }, sites: model.sites.map(({ id }) => ({ site: id, masks })) };
      const filters = new Map(await Promise.all(model.sites.map(async (site) => [site.id, await siteFilter(model, site, masks, spectralEngine, { recausalise: false })] as const)));
      await exportSafetensors({ model, plan, filters, form: 'exact', recausalise: false, output: folder.file('cut.safetensors') });
      const cut = await openModel(folder.file('cut.safetensors'));
      try {
        const back = await cut.file.readFloat32('net.0.back');
        back.forEach((value, i) => assert.ok(value === (i % 100 < 9 ? BACKWARD[i] : 0)));
        const ring = await cut.file.readFloat32('net.1.ring');
        ring.forEach((value, i) => assert.ok(value === (Math.min(i % 64, 64 - (i % 64)) < 10 ? RING[i] : 0)));
        assert.deepEqual(await cut.file.readFloat32('net.1.bias'), noise(3, 4));
      } finally {
        await cut.close();
      }
    } finally {
      await model.close();
    }
  });

  it('is refused in a sentence where the choice does not fit, and proposed where there is none', async () => {
    await assert.rejects(openModel(await write()), (error: Error & { hint?: string }) =>
      /not a model of a known family/.test(error.message) && /net\.0\.back, net\.0\.long, net\.1\.ring\).*"longconv_sites"/.test(error.hint ?? ''));
    const refused = async (choice: unknown, sentence: RegExp): Promise<void> => assert.rejects(openModel(await write({ longconv_sites: choice })), sentence);
    await refused([], /is no list of filters/);
    await refused([{ tensor: 'net.2' }], /has no tensor net\.2, which "longconv_sites"/);
    await refused([{ tensor: 'net.0.long', direction: 'sideways' }], /a direction other than causal, bidirectional or circular/);
    await refused([{ tensor: 'net.0.long', backward: 'net.0.back' }], /names a backward filter for net\.0\.long, whose direction is causal/);
    await refused([{ tensor: 'net.1.ring' }, { tensor: 'net.1.ring' }], /names the filter net\.1\.ring twice/);
    await refused([{ tensor: 'net.1.bias', direction: 'bidirectional' }], /of shape \[3\] where \[channels, an even number of lags\] is needed/);
  });
});
