import * as assert from 'node:assert/strict';
import * as fs from 'node:fs/promises';
import * as os from 'node:os';
import * as path from 'node:path';
import { loadData } from '../../../extension/core/data/load';
import { windows } from '../../../extension/core/data/windows';
import { exportOnnx } from '../../../extension/core/export/onnx';
import { openModel } from '../../../extension/core/families/registry';
import { siteFilter } from '../../../extension/core/plan/apply';
import type { ChannelMask, FrequencyPattern, SurgeryPlan } from '../../../extension/core/plan/plan';
import type { SiteFilter } from '../../../extension/core/plan/site-filter';
import { logSoftmax, QualityMeter } from '../../../extension/core/validation/metrics';
import { OnnxSessions } from '../../../extension/kernel-host/onnx-sessions';
import { SAMPLE } from '../graph/support/hyenadna';
import { spectralEngine } from '../plan/support/spectral-engine';

const LENGTH = 1024;
const frequency = (keep: FrequencyPattern, symmetry: 'conjugate' | 'gain' = 'conjugate'): ChannelMask =>
  ({ frequency: { grid: { fftSize: 2048, factors: [16, 16, 8], taps: LENGTH }, symmetry, keep } });
const block = { kind: 'block', counts: [8, 8, 8] } as const;

interface MaskRow { readonly mask: string; readonly perplexity: number; readonly perplexity_recausalised: number }

/** Perplexity of an exported graph in plain ONNX Runtime over the sample's 32 table windows. */
async function exportedPerplexity(masks: readonly ChannelMask[], recausalise: boolean): Promise<number> {
  const model = await openModel(path.join(SAMPLE, 'model.safetensors'));
  const folder = await fs.mkdtemp(path.join(os.tmpdir(), 'onnx-perplexity-'));
  try {
    const filters = new Map<string, SiteFilter>();
    for (const site of model.sites) filters.set(site.id, await siteFilter(model, site, masks, spectralEngine, { recausalise }));
    const output = path.join(folder, 'exported.onnx');
    const fingerprint = 'sha256:00';
    const plan: SurgeryPlan = { version: 1, model: { path: 'model.safetensors', family: model.family, fingerprint }, sites: [] };
    const source = { name: model.name, fingerprint };
    await exportOnnx({ graph: await model.graph(), filters, length: LENGTH, output, source, plan });
    const session = await new OnnxSessions().create(await fs.readFile(output));
    const meter = new QualityMeter();
    const data = windows(await loadData(path.join(SAMPLE, 'ecoli-table.fa'), model.tokenizer, model.vocabularySize), LENGTH);
    assert.equal(data.length, 32);
    for (const { inputs, targets } of data) {
      const feeds = new Map([['input_ids', { type: 'int64' as const, data: BigInt64Array.from(inputs, BigInt), dims: [1, LENGTH] }]]);
      const logits = (await session.run(feeds, ['logits'])).get('logits')!.data as Float32Array;
      meter.add(logSoftmax(logits, model.vocabularySize), targets, model.vocabularySize);
    }
    await session.dispose();
    return meter.quality().perplexity;
  } finally {
    await fs.rm(folder, { recursive: true });
    await model.close();
  }
}

describe('Exported graphs in plain ONNX Runtime have the perplexity that PyTorch computed', () => {
  const json = async (name: string): Promise<unknown> => JSON.parse(await fs.readFile(path.join(SAMPLE, name), 'utf8'));
  const check = (actual: number, expected: number): void => assert.equal(actual.toPrecision(4), expected.toPrecision(4));
  const tableRow = async (kind: string, value: number): Promise<number> => {
    const { table } = (await json('reference.json')) as { table: [string, number, number][] };
    return table.find((row) => row[0] === kind && row[1] === value)![2];
  };

  it('partial 32, as Conv', async () => check(await exportedPerplexity([{ partial: { taps: 32 } }], false), await tableRow('partial', 32)));

  it('lowpass 1/4, on its grid', async () => {
    check(await exportedPerplexity([frequency({ kind: 'lowpass', fraction: 0.25 })], false), await tableRow('lowpass', 0.25));
  });

  for (const symmetry of ['conjugate', 'gain'] as const) {
    it(`block 8.8.8 (${symmetry}), raw and re-causalised`, async () => {
      const { rows } = (await json('reference-masks.json')) as { rows: MaskRow[] };
      const row = rows.find(({ mask }) => mask === `block:8.8.8:${symmetry}`)!;
      check(await exportedPerplexity([frequency(block, symmetry)], false), row.perplexity);
      check(await exportedPerplexity([frequency(block, symmetry)], true), row.perplexity_recausalised);
    });
  }
});
