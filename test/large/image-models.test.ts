import * as assert from 'node:assert/strict';
import * as fs from 'node:fs/promises';
import { openModel } from '../../extension/core/families/registry';
import type { ValidationReport } from '../../extension/core/validation/report';
import { loadEngine } from '../../extension/kernel-host/addon';
import { temporaryFolder } from '../unit/support/files';
import { IMAGE_MODELS, writeImageModel } from '../unit/support/image-models';
import { run } from '../unit/cli/cli';

/** 128 x 128; test/benchmarks/path-512.ts runs 512 x 512. */
const PIXELS = 16_384;
/** Layers of each tier (SaShiMi) or of all; CKConv has two convolutions in each. */
const SITES = { sashimi: ['c_layers.0', 'u_layers.0.1', 'u_layers.1.1'], s4d: ['s4_layers.0'], s4: ['s4_layers.0'], ckconv: ['backbone.0.cconv1', 'backbone.0.cconv2'] };

describe('models of images as sequences, 128 x 128', () => {
  const temporary = temporaryFolder();
  for (const kind of IMAGE_MODELS) {
    it(`${kind}: validated whole, with every filter as long as its tier`, async () => {
      const { model, data } = await writeImageModel(kind, temporary.file(kind), { pixels: PIXELS, width: 4, layers: 1, states: 8 });
      const [plan, json] = [temporary.file(`${kind}.surgery.json`), temporary.file(`${kind}.json`)];
      await run('plan', model, '--partial', '256', '-o', plan);
      await run('validate', plan, '--data', data, '--json', json);
      const report = JSON.parse(await fs.readFile(json, 'utf8')) as ValidationReport;
      assert.equal(report.length, PIXELS);
      assert.equal(report.wholeModel?.tokens, PIXELS);
      assert.deepEqual(report.sites.map(({ site, taps }) => [site, taps]), SITES[kind].map((site, i) => [site, kind === 'sashimi' ? PIXELS / [16, 4, 1][i] : PIXELS]));
      const opened = await openModel(model);
      for (const { site, channels, taps, filterError, outputError } of report.sites) {
        // Cutting leaves the energy of the lags beyond, as the float64 sum of the filter's own taps has it.
        const rows = await opened.filter(site, { channels: [0, channels], taps: [0, taps] }, loadEngine());
        const [kept, all] = [energy(rows, taps, 256), energy(rows, taps, taps)];
        assert.ok(Math.abs(filterError / Math.sqrt((all - kept) / all) - 1) < 1e-4, `${site}: ${filterError}`);
        assert.ok(outputError !== null && outputError > 0 && outputError < 2, `${site}: ${outputError}`);
      }
      await opened.close();
      assert.ok(report.dense && report.masked && Number.isFinite(report.dense.nll) && report.masked.kl > 0);
    });
  }
});

/** Sum of squares of the first `kept` taps of all rows. */
function energy(rows: Float32Array, taps: number, kept: number): number {
  let sum = 0;
  for (let i = 0; i < rows.length; i++) if (i % taps < kept) sum += rows[i] * rows[i];
  return sum;
}
