import assert from 'node:assert/strict';
import { exportInPlace } from '../../../extension/core/export/onnx/in-place';
import { ElementType, GraphBuilder, int } from '../../../extension/core/graph/builder';
import { randomFeeds } from '../../../extension/core/graph/feeds';
import { ModelRunner } from '../../../extension/core/graph/runtime';
import { referenceEngine } from '../graph/support/reference-engine';
import { temporaryFolder } from '../support/files';
import { decaying, encode, H } from './support/build';
import { keptFilters, open, planOf, relative, runThere, sessions, verifiedByParts } from './support/models';

/** Taps that the filter's generator has. */
const LONGEST = 96;

/**
 * As torchlib exports a model of open length: the filter's first L taps, spectra on 2 L points by the input's own shape, norm "forward" as a
 * division by 2 L before and a multiplication by the result's length after.
 */
function torchlib(prefix: boolean): Uint8Array {
  const b = new GraphBuilder(['out']);
  const u = b.input('u', ElementType.FLOAT, ['batch', H, 'length']);
  const n = b.node('Shape', 'n', [u], { attributes: { start: int(2), end: int(3) } });
  const stored = b.floats('positions', [1, H, LONGEST], decaying(H, LONGEST));
  const cut = prefix
    ? b.node('Slice', 'k', [stored, b.integers('k', [0]), n, b.integers('k', [2])])
    : b.node('Slice', 'k', [stored, b.node('Neg', 'k', [n]), b.integers('k', [2 ** 31]), b.integers('k', [2])]);
  const k = b.node('Mul', 'k', [cut, b.scalar('k', 0.5)]);
  const double = b.node('Mul', 'n', [n, b.integers('n', [2])]);
  const points = b.node('Squeeze', 'n', [double, b.integers('n', [0])]);
  const spectrum = (scope: string, x: string): string => b.node('DFT', scope, [b.node('Unsqueeze', scope, [x, b.integers(scope, [-1])]), points], { attributes: { axis: int(2), onesided: int(1) } });
  const kf = b.node('Div', 'kf', [spectrum('kf', k), b.node('CastLike', 'kf', [double, k])]);
  const part = (x: string, from: number): string => b.node('Slice', 'part', [x, b.integers('part', [from]), b.integers('part', [from + 1]), b.integers('part', [-1])]);
  const uf = spectrum('uf', u);
  const mul = (x: string, y: string): string => b.node('Mul', 'product', [x, y]);
  const re = b.node('Sub', 'product', [mul(part(uf, 0), part(kf, 0)), mul(part(uf, 1), part(kf, 1))]);
  const im = b.node('Add', 'product', [mul(part(uf, 0), part(kf, 1)), mul(part(uf, 1), part(kf, 0))]);
  const y = b.node('DFT', 'inverse', [b.node('Concat', 'product', [re, im], { attributes: { axis: int(-1) } }), points], { attributes: { axis: int(2), inverse: int(1), onesided: int(1) } });
  const length = b.node('Shape', 'inverse', [y], { attributes: { start: int(2), end: int(3) } });
  const scaled = b.node('Mul', 'inverse', [y, b.node('CastLike', 'inverse', [length, y])]);
  const real = b.node('Squeeze', 'inverse', [part(scaled, 0), b.integers('inverse', [-1])]);
  const result = b.node('Slice', 'inverse', [real, b.integers('inverse', [0]), n, b.integers('inverse', [2])]);
  b.nodeWithOutputs('Identity', 'end', [result], { outputs: ['y'] });
  b.output('y', ElementType.FLOAT, ['batch', H, 'length']);
  return encode(b, { opset: 18 });
}

describe('models of open length', () => {
  const temporary = temporaryFolder();

  it('the filter of the longest input serves all shorter ones', async () => {
    const file = await temporary.write('open.onnx', torchlib(true));
    const model = await open(file);
    try {
      assert.deepEqual(model.sites.map((site) => [site.direction, site.channels, site.taps, site.storage]), [['causal', H, LONGEST, 'implicit']], model.notes.join(' '));
      assert.deepEqual([model.maxLength, model.fixedLength], [LONGEST, false]);
      const graph = await model.graph();
      const runner = await ModelRunner.create({ graph, sessions, engine: referenceEngine, filters: await keptFilters(model), maxLength: LONGEST });
      for (const length of [LONGEST, 64, 31]) {
        const feeds = randomFeeds(graph, length, 0, length);
        const error = relative((await runner.runFeeds(feeds, ['y'])).get('y'), (await runThere(file, feeds)).get('y'));
        assert.ok(error < 2e-5, `${length}: ${error}`);
      }
      await runner.dispose();
      const filters = await keptFilters(model, 20);
      const masked = await ModelRunner.create({ graph, sessions, engine: referenceEngine, filters, maxLength: LONGEST });
      const output = temporary.file('masked.onnx');
      const { touched } = await exportInPlace({ model, plan: planOf(model), filters, recausalise: false, output, dataFile: 'data' });
      assert.ok(await verifiedByParts(model, output, filters, touched) < 2e-6);
      for (const length of [LONGEST, 31]) {
        const feeds = randomFeeds(graph, length, 0, length);
        const error = relative((await runThere(output, feeds)).get('y'), (await masked.runFeeds(feeds, ['y'])).get('y'));
        assert.ok(error < 2e-6, `exported, ${length}: ${error}`);
      }
      await masked.dispose();
    } finally {
      await model.close();
    }
  });

  it('a filter that is another one at another length is left as it is', async () => {
    const model = await open(await temporary.write('other.onnx', torchlib(false)));
    assert.deepEqual(model.sites, []);
    assert.match(model.notes.join(' '), /another filter at another length/);
    await model.close();
  });

  it('the length can be given, and is refused in a sentence where the model does not take it', async () => {
    const file = await temporary.write('given.onnx', torchlib(true));
    const model = await open(file, { length: 48 });
    assert.deepEqual([model.maxLength, model.sites[0].taps], [48, 48]);
    await model.close();
    await assert.rejects(open(file, { length: 0.5 }), /must be a whole number above 0/);
    await assert.rejects(open(file, { size: 3 }), /has no option "size"/);
  });
});
