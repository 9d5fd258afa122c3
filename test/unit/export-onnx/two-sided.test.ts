import * as assert from 'node:assert/strict';
import * as fs from 'node:fs/promises';
import { exportOnnx } from '../../../extension/core/export/onnx';
import { GraphBuilder } from '../../../extension/core/graph/builder';
import { addLongConv } from '../../../extension/core/graph/long-conv-op';
import { filterInputName } from '../../../extension/core/graph/model-graph';
import { ModelRunner } from '../../../extension/core/graph/runtime';
import { siteFilter } from '../../../extension/core/plan/apply';
import type { ChannelMask } from '../../../extension/core/plan/plan';
import { OnnxSessions } from '../../../extension/kernel-host/onnx-sessions';
import { FLOAT, floatGraph, floats } from '../graph/support/graphs';
import { assertClose, noise } from '../graph/support/measure';
import { plan } from '../plan/support/plans';
import { spectralEngine } from '../plan/support/spectral-engine';
import { CHANNELS, directConvolution, ringValue, twoSided } from '../plan/support/two-sided';
import { temporaryFolder } from '../support/files';

const grid = { fftSize: 64, factors: [8, 8], taps: 20 };
const masks: Readonly<Record<string, readonly ChannelMask[]>> = {
  'whole': [],
  'cut to some lags': [{ partial: { taps: 6 } }],
  'masked on a grid on some channels': [{ channels: [1, 2], frequency: { grid, symmetry: 'conjugate', keep: { kind: 'comb', rows: 3 } } }],
};

/** One LongConv of mode bidirectional on x [B, CHANNELS, L], half as many samples per sample of the model's input where `pooled`. */
function oneSite(pooled: boolean) {
  const b = new GraphBuilder();
  const x = b.input('x', FLOAT, ['batch', CHANNELS, 'sequence']);
  const u = pooled ? b.node('Slice', 'pool', [x, b.integers('pool', [0]), b.integers('pool', [2 ** 20]), b.integers('pool', [2]), b.integers('pool', [2])]) : x;
  const k = b.input(filterInputName('site'), FLOAT, [CHANNELS, 'taps']);
  const y = addLongConv(b, { site: 'site', mode: 'bidirectional', u, k }, 64);
  b.output(y, FLOAT);
  return { ...floatGraph(b, y), input: { name: 'x', kind: 'float' as const, lengthAxis: 2 } };
}

describe('ONNX export of bidirectional sites', () => {
  const folder = temporaryFolder();
  const sessions = new OnnxSessions();
  for (const [what, siteMasks] of Object.entries(masks)) {
    for (const lowering of ['dft', 'conv', 'function'] as const) {
      it(`${what}, as ${lowering}: the direct sum, in plain ONNX Runtime and cut at the site`, async () => {
        const { site, model } = twoSided('bidirectional', 20);
        const filter = await siteFilter(model, site, siteMasks, spectralEngine, { recausalise: false });
        const filters = new Map([['site', filter]]);
        const graph = oneSite(false);
        const output = folder.file(`${what}.${lowering}.onnx`);
        await exportOnnx({ graph, filters, length: 20, lowering, output, source: { name: 'x', fingerprint: 'y' }, plan: plan() });
        const session = await sessions.create(await fs.readFile(output));
        const x = noise(2 * CHANNELS * 18, 3);
        const { data } = (await session.run(new Map([['x', floats(x, 2, CHANNELS, 18)]]), [graph.output])).get(graph.output)!;
        await session.dispose();
        const kernel = (c: number, lag: number): number => {
          const part = filter.parts.find(({ channels }) => c >= channels[0] && c < channels[1])!;
          return Math.abs(lag) < part.filterLength / 2 ? ringValue(part.rows, part.filterLength, c - part.channels[0], lag) : 0;
        };
        const expected = directConvolution({ input: x, batch: 2, length: 18 }, kernel);
        assertClose(data as Float32Array, expected, 3e-6);
        const runner = await ModelRunner.create({ graph, sessions, engine: spectralEngine, filters, maxLength: 20 });
        assertClose(await runner.run(x, 2, 18), expected, 3e-6);
        await runner.dispose();
      });
    }
  }

  it('counts the samples of a site in a slower tier', async () => {
    const { site, model, rows } = twoSided('bidirectional', 10, { rate: 0.5 });
    const filters = new Map([['site', await siteFilter(model, site, [], spectralEngine, { recausalise: false })]]);
    const graph = oneSite(true);
    const runner = await ModelRunner.create({ graph, sessions, engine: spectralEngine, filters, maxLength: 25 });
    const x = noise(CHANNELS * 20, 3);
    const slow = x.filter((_, i) => i % 2 === 0);
    const expected = directConvolution({ input: slow, batch: 1, length: 10 }, (c, lag) => ringValue(rows, 20, c, lag));
    const { data, dims } = await runner.infer(x, 1, 20);
    assertClose(data, expected, 3e-6);
    assert.deepEqual(dims, [1, CHANNELS, 10]);
    await assert.rejects(runner.run(noise(CHANNELS * 22, 3), 1, 22), /has 22 samples, but the filter of site site is made for at most 20/);
    await runner.dispose();
    const output = folder.file('slow.onnx');
    await exportOnnx({ graph, filters, length: 20, lowering: 'dft', output, source: { name: 'x', fingerprint: 'y' }, plan: plan() });
    const session = await sessions.create(await fs.readFile(output));
    const result = (await session.run(new Map([['x', floats(x, 1, CHANNELS, 20)]]), [graph.output])).get(graph.output)!;
    assertClose(result.data as Float32Array, expected, 3e-6);
    await session.dispose();
  });
});
