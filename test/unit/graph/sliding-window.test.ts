import * as assert from 'node:assert/strict';
import * as path from 'node:path';
import type { LongConvModel } from '../../../extension/core/families/model';
import { openModel } from '../../../extension/core/families/registry';
import { ModelRunner } from '../../../extension/core/graph/runtime';
import { history, runSliding, slidingWindows } from '../../../extension/core/graph/sliding-window';
import { siteFilter } from '../../../extension/core/plan/apply';
import type { ChannelMask } from '../../../extension/core/plan/plan';
import type { SiteFilter } from '../../../extension/core/plan/site-filter';
import { shortenSamples } from '../../../extension/core/validation/long-windows';
import { mulberry32 } from '../../../extension/core/validation/statistics';
import { OnnxSessions } from '../../../extension/kernel-host/onnx-sessions';
import { spectralEngine } from '../plan/support/spectral-engine';
import { SAMPLE } from './support/hyenadna';
import { float64Logits } from './support/hyenadna-float64';
import { assertClose } from './support/measure';

const TAPS = 24;
/** Two layers, each TAPS - 1 lags and two samples of the short filter back. */
const HISTORY = 2 * (TAPS - 1 + 2);

describe('a model that is cut, on inputs longer than its filters', function () {
  this.timeout(60_000);
  const file = path.join(SAMPLE, 'model.safetensors');
  let model: LongConvModel;
  before(async () => { model = await openModel(file); });
  after(() => model.close());

  const filtersOf = async (masks: readonly ChannelMask[]): Promise<Map<string, SiteFilter>> => {
    const filters = new Map<string, SiteFilter>();
    for (const site of model.sites) filters.set(site.id, await siteFilter(model, site, masks, spectralEngine, { recausalise: false }));
    return filters;
  };
  const random = mulberry32(3);
  const tokens = Int32Array.from({ length: 4 * 1026 }, () => 7 + Math.floor(4 * random()));

  it('runs as a sliding window: the logits of one float64 run over all of it', async () => {
    const filters = await filtersOf([{ partial: { taps: TAPS } }]);
    assert.equal(history(model, filters), HISTORY);
    const runner = await ModelRunner.create({ graph: await model.graph(), sessions: new OnnxSessions(), engine: spectralEngine, filters, maxLength: 1000 + HISTORY });
    const logits = new Float32Array(tokens.length * 16);
    let end = 0;
    for await (const piece of runSliding(runner, tokens, HISTORY, 1000)) {
      assert.equal(piece.first, end);
      end = piece.end;
      logits.set(piece.logits, piece.first * 16);
    }
    await runner.dispose();
    assert.equal(end, tokens.length);
    const rows = model.sites.map(({ id }) => Float64Array.from(filters.get(id)!.parts[0].rows));
    // Around the first edge of a window, and at the end, from far enough before that nothing earlier matters: direct sums in float64.
    for (const [from, first, last] of [[0, 900, 1100], [3900, 3990, 4104]]) {
      const expected = await float64Logits(file, tokens.subarray(from, last), rows);
      assertClose(logits.subarray(first * 16, last * 16), expected.subarray((first - from) * 16), 1e-5);
    }
  });

  it('does not, where a filter is not cut, sees the future, or the model looks at everything', async () => {
    assert.equal(history(model, await filtersOf([])), undefined);
    assert.equal(history(model, await filtersOf([{ channels: [0, 64], partial: { taps: TAPS } }])), undefined);
    const filters = await filtersOf([{ partial: { taps: TAPS } }]);
    assert.equal(history({ ...model, localHistory: undefined }, filters), undefined);
    const twoSided = new Map([...filters].map(([id, filter]) => [id, { ...filter, parts: filter.parts.map((part) => ({ ...part, mode: 'bidirectional' as const })) }]));
    assert.equal(history(model, twoSided), undefined);
  });

  it('is validated in runs of the trained length that score every token once', async () => {
    const filters = await filtersOf([{ partial: { taps: TAPS } }]);
    const sample = { input: tokens.subarray(0, 4000), length: 4000, targets: tokens.subarray(1, 4001) };
    const { samples, runLength } = shortenSamples([sample], model, filters, 4000);
    assert.equal(runLength, 1024);
    assert.deepEqual(samples.flatMap(({ targets }) => [...targets]), [...sample.targets]);
    for (const { input, length, targets } of samples.slice(1)) {
      assert.equal(input.length, length);
      assert.ok(length <= 1024 && length - targets.length === HISTORY);
    }
    const uncut = await filtersOf([]);
    assert.throws(() => shortenSamples([sample], model, uncut, 4000), /Windows of 4000 tokens are longer than the 1026 that .* was made for/);
    const long = await filtersOf([{ partial: { taps: 600 } }]);
    assert.throws(() => shortenSamples([sample], model, long, 4000), /depends on 1202 tokens before it/);
  });

  it('covers an input exactly, whatever its length', () => {
    for (const [length, before, chunk] of [[1, 5, 4], [8, 3, 4], [9, 3, 4], [4, 100, 4]]) {
      let next = 0;
      for (const { from, first, end } of slidingWindows(length, before, chunk)) {
        assert.equal(first, next);
        assert.equal(from, Math.max(0, first - before));
        next = end;
      }
      assert.equal(next, length);
    }
  });
});
