import * as assert from 'node:assert/strict';
import * as path from 'node:path';
import type { LongConvModel } from '../../../extension/core/families/model';
import { openModel } from '../../../extension/core/families/registry';
import { ModelRunner } from '../../../extension/core/graph/runtime';
import { cutSamples, history, longestWindow, runSliding, slidingWindows, windowSizes } from '../../../extension/core/graph/sliding-window';
import { siteFilter } from '../../../extension/core/plan/apply';
import type { ChannelMask } from '../../../extension/core/plan/plan';
import type { SiteFilter } from '../../../extension/core/plan/site-filter';
import { shortenSamples } from '../../../extension/core/validation/long-windows';
import { randomSample } from '../../../extension/core/validation/random-input';
import { mulberry32 } from '../../../extension/core/validation/statistics';
import { OnnxSessions } from '../../../extension/kernel-host/onnx-sessions';
import { spectralEngine } from '../plan/support/spectral-engine';
import { withModel } from '../families/golden';
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
    const sizes = { before: HISTORY, chunk: 1000, multiple: 1 };
    const logits = new Float32Array(tokens.length * 16);
    let end = 0;
    for await (const piece of runSliding(runner, { values: tokens, outer: 1, length: tokens.length }, 1, sizes)) {
      assert.equal(piece.first, end);
      end = piece.end;
      assert.deepEqual(piece.dims, [1, piece.end - piece.first, 16]);
      logits.set(piece.values, piece.first * 16);
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
    const { samples, runLength } = shortenSamples([sample], model, filters, 4000, true);
    assert.equal(runLength, 1024);
    assert.deepEqual(samples.flatMap(({ targets }) => [...targets]), [...sample.targets]);
    for (const { input, length, targets } of samples.slice(1)) {
      assert.equal(input.length, length);
      assert.ok(length <= 1024 && length - targets.length === HISTORY);
    }
    const uncut = await filtersOf([]);
    assert.throws(() => shortenSamples([sample], model, uncut, 4000, true), /Windows of 4000 tokens are longer than the 1026 that .* was made for/);
    const long = await filtersOf([{ partial: { taps: 600 } }]);
    assert.throws(() => shortenSamples([sample], model, long, 4000, false), /depends on 1202 tokens before it/);
    const beyond = shortenSamples([sample], model, long, 4000, true);
    assert.deepEqual([beyond.runLength, beyond.longestRun], [1024, 1202 + 512]);
    assert.deepEqual(beyond.samples.flatMap(({ targets }) => [...targets]), [...sample.targets]);
    for (const { length, targets, denseStart } of beyond.samples.slice(3)) assert.deepEqual([length - targets.length, length - denseStart!], [1202, 1024]);
  });

  it('covers an input exactly, whatever its length', () => {
    for (const [length, before, chunk, multiple] of [[1, 5, 4, 1], [8, 3, 4, 1], [9, 3, 4, 1], [4, 100, 4, 1], [24, 5, 8, 4], [40, 9, 8, 8]]) {
      let next = 0;
      for (const { from, first, end } of slidingWindows(length, { before, chunk, multiple })) {
        assert.equal(first, next);
        assert.equal(from % multiple, 0);
        assert.ok(from === 0 || (first - from >= before && end - from <= longestWindow({ before, chunk, multiple })));
        next = end;
      }
      assert.equal(next, length);
    }
  });

  it('is cut shorter where each output is large', () => {
    const sizes = windowSizes({ sites: [], vocabularySize: 50_264, lengthMultiple: 16 }, 100);
    assert.ok(sizes.chunk * 50_264 < 2 ** 27 && sizes.chunk % 16 === 0 && sizes.chunk >= 100);
    assert.equal(windowSizes({ sites: [], vocabularySize: 16 }, 20_000).chunk, 20_000);
  });
});

describe('other families on inputs longer than their filters', () => {
  const CASES: readonly (readonly [name: string, taps: number, length: number, chunk: number])[] = [
    ['h3-a', 5, 400, 90], ['hyena-safari-order3-a', 4, 256, 50], ['hyenadna-hf-a', 7, 264, 64], ['multihyena-a', 9, 256, 50], ['rtf-a', 6, 256, 30],
    ['s4d-a', 8, 256, 40], ['longconv-a', 8, 256, 33], ['sashimi-a', 2, 384, 72],
  ];
  for (const [name, taps, length, chunk] of CASES) {
    it(`${name}: windows give what one run gives`, () => withModel(name, name === 'rtf-a' || name === 'h3-a' ? { length: 64 } : name === 's4d-a' ? { l_max: 64 } : undefined, async (model) => {
      assert.ok(length >= 4 * Math.min(model.maxLength, 64) && length > model.maxLength);
      const filters = new Map<string, SiteFilter>();
      for (const site of model.sites) filters.set(site.id, await siteFilter(model, site, [{ partial: { taps } }], spectralEngine, { recausalise: false }));
      const before = history(model, filters)!;
      assert.ok(before > 0 && before < length - chunk, `history ${before}`);
      const graph = await model.graph();
      const { input: values } = randomSample(model, length);
      const axis = graph.input.lengthAxis ?? 1;
      const outer = (model.floatInput ?? []).slice(0, axis - 1).reduce<number>((product, dim) => product * Number(dim), 1);
      const sizes = { before, chunk, multiple: model.lengthMultiple ?? 1 };
      const runner = await ModelRunner.create({ graph, sessions: new OnnxSessions(), engine: spectralEngine, filters, maxLength: length });
      const whole = await runner.infer(values, 1, length);
      const pieces = [];
      for await (const piece of runSliding(runner, { values, outer, length }, axis, sizes)) pieces.push({ ...piece, values: Float32Array.from(piece.values) });
      await runner.dispose();
      assert.ok(pieces.length > 2);
      const rows = whole.dims.slice(0, axis).reduce((a, b) => a * b, 1);
      for (const { first, end, values: actual } of pieces) assertClose(actual, cutSamples({ values: whole.data, outer: rows, length }, first, end), 1e-5);
    }));
  }

  it('are not slid where they look at everything', async () => {
    for (const name of ['evo1-a', 'm2bert-a', 'longconv-bidir-a', 'longconv-model-a', 'ckconv-pmnist30', 'h3-attn-a']) {
      await withModel(name, undefined, async (model) => assert.equal(model.localHistory, undefined, name));
    }
  });
});
