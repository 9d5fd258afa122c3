import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { exportInPlace } from '../../../extension/core/export/onnx/in-place';
import { encodeModel } from '../../../extension/core/graph/encode-model';
import { randomFeeds } from '../../../extension/core/graph/feeds';
import { type GraphBuilder, int } from '../../../extension/core/graph/builder';
import { onnx } from '../../../extension/core/graph/onnx';
import { temporaryFolder } from '../support/files';
import { addDftConvolution, decaying, encode, finish, H, signalBuilder, T } from './support/build';
import { keptFilters, open, planOf, relative, runHere, runThere, sessions, verifiedByParts } from './support/models';

const N = 2 * T;
const contrib = (b: GraphBuilder, op: 'Rfft' | 'Irfft', x: string, settings: Readonly<Record<string, number>> = {}): string => b.node(op, op, [x], {
  domain: 'com.microsoft', attributes: Object.fromEntries(Object.entries({ normalized: 0, onesided: 1, signal_ndim: 1, ...settings }).map(([name, value]) => [name, int(value)])),
});

/** u [1, H, T] times the filter whose spectrum is given, as exporters with these operators write it. */
function convolve(b: GraphBuilder, u: string, spectrum: (padded: (x: string) => string) => string): string {
  const padded = (x: string): string => b.node('Pad', 'pad', [x, b.integers('pad', [0, 0, 0, 0, 0, N - T])]);
  const parts = (x: string): string[] => b.nodeWithOutputs('Split', 'split', [x], { attributes: { axis: int(-1) }, outputs: 2 });
  const mul = (x: string, y: string): string => b.node('Mul', 'product', [x, y]);
  const [[a, ai], [c, ci]] = [parts(contrib(b, 'Rfft', padded(u))), parts(spectrum(padded))];
  const product = b.node('Concat', 'product', [b.node('Sub', 'product', [mul(a, c), mul(ai, ci)]), b.node('Add', 'product', [mul(a, ci), mul(ai, c)])], { attributes: { axis: int(-1) } });
  return b.node('Slice', 'cut', [contrib(b, 'Irfft', product), b.integers('cut', [0]), b.integers('cut', [T]), b.integers('cut', [2])]);
}

const domains = ['com.microsoft'];
const filter = (b: GraphBuilder): string => b.floats('k', [1, H, T], decaying(H, T));
const FORMS: Readonly<Record<string, (b: GraphBuilder) => (padded: (x: string) => string) => string>> = {
  'a stored filter': (b) => (padded) => contrib(b, 'Rfft', padded(filter(b))),
  'a computed filter': (b) => (padded) => contrib(b, 'Rfft', padded(b.node('Mul', 'k', [filter(b), b.scalar('k', 1)]))),
  'a stored spectrum': (b) => () => b.floats('spectrum', [1, H, N / 2 + 1, 2], spectrumOf(decaying(H, T))),
};

/** By the definition, in float64. */
function spectrumOf(rows: Float32Array): Float32Array {
  const bins = N / 2 + 1;
  return Float32Array.from({ length: H * bins * 2 }, (_, i) => {
    const [h, f] = [Math.floor(i / (2 * bins)), Math.floor(i / 2) % bins];
    let sum = 0;
    for (let t = 0; t < T; t++) sum += rows[h * T + t] * (i % 2 === 0 ? Math.cos((2 * Math.PI * f * t) / N) : -Math.sin((2 * Math.PI * f * t) / N));
    return sum;
  });
}

describe('Rfft and Irfft of com.microsoft', () => {
  const temporary = temporaryFolder();

  for (const opset of [17, 20] as const) {
    for (const [form, spectrum] of Object.entries(FORMS)) {
      it(`${form}, opset ${opset}: found, run, exported`, async () => {
        const { b, u } = signalBuilder();
        finish(b, convolve(b, u, spectrum(b)));
        // Split without num_outputs is the form of operator sets up to 17.
        const bytes = encode(b, { opset, domains });
        const file = await temporary.write('contrib.onnx', opset === 17 ? bytes : withSplitCounts(bytes));
        const standard = signalBuilder();
        finish(standard.b, addDftConvolution(standard.b, 'conv', standard.u, filter(standard.b)));
        const reference = await temporary.write('standard.onnx', encode(standard.b));
        const model = await open(file);
        const twin = await open(reference);
        try {
          assert.deepEqual(model.sites.map((site) => [site.direction, site.taps]), [['causal', T]], model.notes.join(' '));
          const feeds = randomFeeds(await model.graph(), T, 0, 3);
          const own = (await runThere(reference, feeds)).get('out');
          const dense = relative((await runHere(model, await keptFilters(model), feeds)).get('out'), own);
          assert.ok(dense < 2e-6, `dense: ${dense}`);
          await assert.rejects(runThere(file, feeds), /Rfft/);

          const filters = await keptFilters(model, 10);
          const masked = (await runHere(twin, await keptFilters(twin, 10), feeds)).get('out');
          const output = temporary.file('kept.onnx');
          const { touched } = await exportInPlace({ model, plan: planOf(model), filters, recausalise: false, output, dataFile: 'data' });
          assert.ok(await verifiedByParts(model, output, filters, touched) < 2e-6);
          assert.equal(operators(output).filter((op) => op === 'Irfft').length, 1);
          const again = await open(output);
          const session = await sessions.create(encodeModel(again.plainGraph().model));
          const kept = relative((await session.run(feeds, ['out'])).get('out'), masked);
          assert.ok(kept < 2e-6, `kept: ${kept}`);
          await session.dispose();
          await again.close();

          for (const lowering of ['dft', 'conv'] as const) {
            const lowered = temporary.file(`${lowering}.onnx`);
            await exportInPlace({ model, plan: planOf(model), filters, lowering, recausalise: false, output: lowered, dataFile: 'data' });
            assert.deepEqual(operators(lowered).filter((op) => op.endsWith('fft')), []);
            const error = relative((await runThere(lowered, feeds)).get('out'), masked);
            assert.ok(error < 2e-6, `${lowering}: ${error}`);
          }
        } finally {
          await model.close();
          await twin.close();
        }
      });
    }
  }

  it('along two axes they are run, and are no site', async () => {
    const { b, u } = signalBuilder();
    const x = contrib(b, 'Rfft', u, { signal_ndim: 2 });
    finish(b, contrib(b, 'Irfft', b.node('Mul', 'twice', [x, b.scalar('twice', 2)]), { signal_ndim: 2 }));
    const model = await open(await temporary.write('plane.onnx', encode(b, { domains })));
    assert.deepEqual(model.sites, []);
    const feeds = randomFeeds(await model.graph(), T, 0, 3);
    const twice = { ...feeds.get('u')!, data: Float32Array.from(feeds.get('u')!.data as Float32Array, (value) => 2 * value) };
    assert.ok(relative((await runHere(model, new Map(), feeds)).get('out'), twice) < 1e-6);
    await model.close();
  });

  it('in operator sets without DFT, and with settings that nobody carries out, they are named', async () => {
    for (const [opset, settings, reason] of [[15, {}, /operator set 15, which has no DFT/], [17, { onesided: 0 }, /settings that ONNX Runtime does not carry out/]] as const) {
      const { b, u } = signalBuilder();
      finish(b, contrib(b, 'Irfft', contrib(b, 'Rfft', u), settings));
      const model = await open(await temporary.write('left.onnx', encode(b, { opset, domains })));
      assert.match(model.notes.join('\n'), reason);
      await model.close();
    }
  });
});

const operators = (file: string): string[] => onnx.ModelProto.decode(fs.readFileSync(file)).graph!.node!.map(({ opType }) => opType!);

function withSplitCounts(bytes: Uint8Array): Uint8Array {
  const model = onnx.ModelProto.decode(bytes) as onnx.IModelProto;
  for (const node of model.graph!.node!) if (node.opType === 'Split') node.attribute!.push({ name: 'num_outputs', ...int(2) } as onnx.AttributeProto);
  return onnx.ModelProto.encode(model).finish();
}
