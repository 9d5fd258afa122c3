import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { loadData } from '../../../extension/core/data/load';
import { windows, type TokenWindow } from '../../../extension/core/data/windows';
import type { Engine } from '../../../extension/core/engine/engine';
import type { LongConvModel } from '../../../extension/core/families/model';
import { openModel } from '../../../extension/core/families/registry';
import { ModelRunner } from '../../../extension/core/graph/runtime';
import { siteFilter } from '../../../extension/core/plan/apply';
import { makePlan } from '../../../extension/core/plan/make';
import type { SiteFilter } from '../../../extension/core/plan/site-filter';
import type { PlanRequest } from '../../../extension/core/protocol/kernel-host';
import { logSoftmax, QualityMeter } from '../../../extension/core/validation/metrics';
import { loadEngine } from '../../../extension/kernel-host/addon';
import { OnnxSessions } from '../../../extension/kernel-host/onnx-sessions';

const SAMPLE = path.resolve(__dirname, '../../fixtures/samples/hyenadna-tiny-1k-ecoli');
const read = (name: string): unknown => JSON.parse(fs.readFileSync(path.join(SAMPLE, name), 'utf8'));
const { table } = read('reference.json') as { table: ['partial' | 'lowpass', number, number][] };
const { rows } = read('reference-masks.json') as {
  rows: { mask: string; kept: number; sites: { leak: number; filterError: number }[]; perplexity: number; perplexity_recausalised: number }[];
};

const fourDigits = (value: number): string => value.toPrecision(4);
const relative = (actual: number, expected: number): number => Math.abs(actual - expected) / Math.abs(expected);

describe('perplexity under masks, as PyTorch computed it', function () {
  this.timeout(120_000);
  const length = 1024;
  let engine: Engine;
  let model: LongConvModel;
  let runner: ModelRunner;
  let data: TokenWindow[];

  before(async () => {
    engine = loadEngine();
    model = await openModel(path.join(SAMPLE, 'model.safetensors'));
    data = windows(await loadData(path.join(SAMPLE, 'ecoli-table.fa'), model.tokenizer, model.vocabularySize), length);
    runner = await ModelRunner.create({ graph: await model.graph(), sessions: new OnnxSessions(), engine, filters: await filters({}, false), maxLength: length });
  });
  after(async () => {
    await runner.dispose();
    await model.close();
  });

  async function filters(masks: Partial<PlanRequest>, recausalise: boolean): Promise<Map<string, SiteFilter>> {
    const plan = await makePlan(model, { model: model.path, planPath: path.join(SAMPLE, 'p.surgery.json'), ...masks }, engine, 'sha256:0');
    const out = new Map<string, SiteFilter>();
    for (const site of model.sites) {
      out.set(site.id, await siteFilter(model, site, plan.sites.find((planned) => planned.site === site.id)?.masks ?? [], engine, { recausalise }));
    }
    return out;
  }

  async function perplexity(chosen: Map<string, SiteFilter>): Promise<number> {
    for (const [id, filter] of chosen) await runner.setFilters(id, filter);
    const meter = new QualityMeter();
    for (const { inputs, targets } of data) meter.add(logSoftmax(await runner.run(inputs, 1, length), model.vocabularySize), targets, model.vocabularySize);
    return meter.quality().perplexity;
  }

  it('has the windows of the reference', () => assert.equal(data.length, 32));

  for (const [kind, value, expected] of table) {
    it(`${kind} ${value}`, async () => assert.equal(fourDigits(await perplexity(await filters({ [kind]: value }, false))), fourDigits(expected)));
  }

  for (const row of rows) {
    it(`${row.mask}: perplexity, re-causalised perplexity, leak, filter error, kept bins`, async () => {
      const [kind, value, symmetry] = row.mask.split(':');
      const masks: Partial<PlanRequest> = {
        symmetry: symmetry as PlanRequest['symmetry'], ...(kind === 'block' ? { blocks: value.split('.').map(Number) } : { lowpass: Number(value) }),
      };
      const masked = await filters(masks, false);
      assert.equal(fourDigits(await perplexity(masked)), fourDigits(row.perplexity));
      assert.equal(fourDigits(await perplexity(await filters(masks, true))), fourDigits(row.perplexity_recausalised));
      for (const [layer, expected] of row.sites.entries()) {
        const { leak, filterError, keptBins } = masked.get(model.sites[layer].id)!.measures;
        assert.equal(keptBins, row.kept);
        if (row.kept === 1) {
          assert.ok(leak < 1e-12 && filterError < 1e-6, `leak ${leak}, filter error ${filterError}`);
        } else {
          assert.ok(relative(leak, expected.leak) <= 1e-3, `leak ${leak}, reference ${expected.leak}`);
          assert.ok(relative(filterError, expected.filterError) <= 1e-3, `filter error ${filterError}, reference ${expected.filterError}`);
        }
      }
    });
  }
});
