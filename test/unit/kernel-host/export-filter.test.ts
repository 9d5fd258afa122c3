import * as assert from 'node:assert/strict';
import { openSafetensors } from '../../../extension/core/formats/safetensors/read';
import { exportFilter } from '../../../extension/kernel-host/jobs/export-filter';
import { Expected, withModel } from '../families/golden';
import { assertGolden } from '../families/golden-runs';
import { referenceEngine } from '../graph/support/reference-engine';
import { temporaryFolder } from '../support/files';

describe('materialised filters in a file', () => {
  const folder = temporaryFolder();
  for (const [name, site, tensors] of [
    ['hyenadna-hf-a', 'layers.0.mixer', { k: 'filters.0.k' }], ['h3-a', 'layers.0.mixer.diag', { k: 'filters.0.k_diag' }], ['evo1-a', 'blocks.0.filter', { k: 'filters.0.h' }],
    ['longconv-bidir-a', 'layer', { k_fwd: 'filters.k_fwd', k_rev: 'filters.k_rev' }], ['longconv-model-a', 'conv_layers.1', { k: 'filters.1.k' }],
    ['m2bert-a', 'layers.0.filter_fn', { k_fwd: 'filters.0.k_fwd', k_rev: 'filters.0.k_rev' }],
  ] as const) {
    it(`${name}, ${site}: equal the original's`, () => withModel(name, name === 'h3-a' ? { length: 100 } : name === 'evo1-a' ? { length: 64 } : undefined, async (model) => {
      const file = folder.file(`${name}.safetensors`);
      await exportFilter(model, model.sites.find(({ id }) => id === site)!, referenceEngine, file, () => undefined);
      const written = await openSafetensors(file);
      const expected = await Expected.read(name);
      for (const [tensor, golden] of Object.entries(tensors)) assertGolden(await written.readFloat32(tensor), expected, golden, 1e-5, 2e-6);
      assert.ok([...written.tensors.keys()].every((tensor) => /^k(_fwd|_rev)?$/.test(tensor)));
      await written.close();
    }));
  }
});
