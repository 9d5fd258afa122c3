import assert from 'node:assert/strict';
import { exportInPlace } from '../../../extension/core/export/onnx/in-place';
import { ElementType, float, GraphBuilder, int, ints, tensor } from '../../../extension/core/graph/builder';
import { onnx } from '../../../extension/core/graph/onnx';
import { randomFeeds } from '../../../extension/core/graph/feeds';
import { temporaryFolder } from '../support/files';
import { addConvolution, addDftConvolution, decaying, type DftOptions, encode, finish, H, type ModelOptions, signalBuilder, T } from './support/build';
import { keptFilters, open, planOf, relative, runHere, runThere, verifiedByParts } from './support/models';

interface Variant {
  readonly bytes: Uint8Array;
  /** Direction and taps of each site, in order. */
  readonly sites: readonly (readonly [string, number])[];
  /** Allowed relative difference to ONNX Runtime's own transforms. */
  readonly tolerance?: number;
}

const taps3 = (channelsLast: boolean, taps: number): readonly number[] => (channelsLast ? [1, taps, H] : [1, H, taps]);

function dft(options: DftOptions, taps = T, sites: Variant['sites'] = [['causal', taps]]): Variant {
  const channelsLast = options.channelsLast ?? false;
  const { b, u } = signalBuilder(channelsLast);
  const k = b.floats('k', taps3(channelsLast, taps), decaying(H, taps));
  finish(b, addDftConvolution(b, 'conv', u, k, options), channelsLast);
  return { bytes: encode(b, { opset: options.opset }), sites, tolerance: ((options.size ?? 2) & ((options.size ?? 2) - 1)) === 0 ? undefined : 1e-4 };
}

function built(sites: Variant['sites'], make: (b: GraphBuilder, u: string) => string, options: ModelOptions = {}): Variant {
  const { b, u } = signalBuilder();
  finish(b, make(b, u));
  return { bytes: encode(b, options), sites };
}

const CAUSAL: Variant['sites'] = [['causal', T]];
const constant = (b: GraphBuilder, dims: readonly number[], taps = T): string =>
  b.node('Constant', 'stored', [], { attributes: { value: tensor({ dims: [...dims], dataType: ElementType.FLOAT, rawData: Buffer.from(decaying(H, taps).buffer) }) } });

/** A function of a domain of its own that convolves its first input with its second. */
function convolutionFunction(): onnx.IFunctionProto {
  const b = new GraphBuilder(['u', 'k']);
  const y = addDftConvolution(b, 'body', 'u', 'k');
  return { name: 'Convolve', domain: 'mine', input: ['u', 'k'], output: [y], node: b.nodes, opsetImport: [{ domain: '', version: 17 }] };
}

const VARIANTS: Readonly<Record<string, Variant>> = {
  'half spectra, rebuilt, opset 17': dft({}),
  'half spectra, rebuilt, opset 20': dft({ opset: 20 }),
  'half spectra, onesided inverse': dft({ inverse: 'onesided' }),
  'whole spectra, opset 17': dft({ forward: 'whole', inverse: 'whole' }),
  'whole spectra, opset 20': dft({ opset: 20, forward: 'whole', inverse: 'whole' }),
  'channels last': dft({ channelsLast: true }),
  'not a power of two': dft({ size: 150 }),
  'fewer taps than samples': dft({}, 40),
  'circular on the input\'s own length': dft({ size: T, inverse: 'onesided' }, T, [['circular', T]]),
  'circular on a ring longer than the input': dft({ size: 100, inverse: 'onesided' }, 90, [['circular', 100]]),
  'two-sided, negative lags at the end of the ring': dft({ inverse: 'onesided' }, 2 * T, [['bidirectional', T]]),
  'a Conv kernel in a Constant node': built(CAUSAL, (b, u) => addConvolution(b, 'conv', u, constant(b, [H, 1, T]), T)),
  'a centred Conv': built([['bidirectional', 33]], (b, u) => b.node('Conv', 'conv', [u, b.floats('k', [H, 1, 65], decaying(H, 65))], {
    attributes: { group: int(H), pads: ints([32, 32]) },
  })),
  'a Conv by auto_pad with a bias': built([['bidirectional', 33]], (b, u) => b.node('Conv', 'conv', [u, b.floats('k', [H, 1, 65], decaying(H, 65)), b.floats('bias', [H], Float32Array.of(1, 2, 3, 4))], {
    attributes: { group: int(H), auto_pad: { type: 3, s: Buffer.from('SAME_UPPER') } },
  })),
  'a Conv without padding': built([['bidirectional', 40]], (b, u) => {
    const y = b.node('Conv', 'conv', [u, b.floats('k', [H, 1, 40], decaying(H, 40))], { attributes: { group: int(H) } });
    return b.node('Pad', 'end', [y, b.integers('end', [0, 0, 0, 0, 0, 39])]);
  }),
  'a Conv whose tail is used': built([['causal', T]], (b, u) => {
    const y = b.node('Conv', 'conv', [u, b.floats('k', [H, 1, T], decaying(H, T))], { attributes: { group: int(H), pads: ints([T - 1, T - 1]) } });
    return b.node('Slice', 'end', [y, b.integers('end', [10]), b.integers('end', [10 + T]), b.integers('end', [2])]);
  }),
  'a computed filter': built(CAUSAL, (b, u) => {
    const features = b.floats('features', [1, H, 8], decaying(H, 8));
    const basis = b.floats('basis', [8, T], decaying(8, T));
    const k = b.node('Mul', 'k', [b.node('MatMul', 'k', [features, basis]), b.scalar('k', 0.5)]);
    return addDftConvolution(b, 'conv', u, k);
  }),
  'a filter shared by two convolutions': built([['causal', T], ['causal', T]], (b, u) => {
    const k = b.floats('k', [1, H, T], decaying(H, T));
    return addDftConvolution(b, 'second', b.node('Tanh', 'between', [addDftConvolution(b, 'first', u, k)]), k);
  }),
  'scaled before and after': built(CAUSAL, (b, u) => {
    const k = b.node('Div', 'k', [b.floats('k', [1, H, T], decaying(H, T)), b.scalar('k', 7)]);
    return b.node('Mul', 'end', [addDftConvolution(b, 'conv', u, k), b.scalar('end', 7)]);
  }),
  'inside a model-local function': built(CAUSAL, (b, u) => b.node('Convolve', 'call', [u, b.floats('k', [1, H, T], decaying(H, T))], { domain: 'mine' }), {
    functions: [convolutionFunction()], domains: ['mine'],
  }),
  'a short convolution only': built([], (b, u) => addConvolution(b, 'conv', u, b.floats('k', [H, 1, 4], decaying(H, 4)), 4)),
  'transforms of activations only': built([], (b, u) => {
    const x = b.node('DFT', 'f', [b.node('Unsqueeze', 'f', [u, b.integers('f', [-1])])], { attributes: { axis: int(2), onesided: int(1) } });
    const gated = b.node('Mul', 'f', [x, b.node('Sigmoid', 'f', [x])]);
    const y = b.node('DFT', 'f', [gated], { attributes: { axis: int(2), inverse: int(1), onesided: int(1) } });
    return b.node('Squeeze', 'f', [y, b.integers('f', [-1])]);
  }),
};

describe('long convolutions in graphs of every shape', () => {
  const temporary = temporaryFolder();
  for (const [name, { bytes, sites, tolerance = 2e-6 }] of Object.entries(VARIANTS)) {
    it(name, async () => {
      const file = await temporary.write(`${name.replace(/\W+/g, '-')}.onnx`, bytes);
      const model = await open(file);
      try {
        assert.deepEqual(model.sites.map((site) => [site.direction, site.taps]), sites, model.notes.join(' '));
        const graph = await model.graph();
        const feeds = randomFeeds(graph, model.maxLength, 0, 2);
        const own = (await runThere(file, feeds)).get('out');
        const dense = relative((await runHere(model, await keptFilters(model), feeds)).get('out'), own);
        assert.ok(dense < tolerance, `dense: ${dense}`);
        if (sites.length === 0) return;
        const filters = await keptFilters(model, 10);
        const masked = (await runHere(model, filters, feeds)).get('out');
        assert.ok(relative(masked, own) > 1e-3);
        for (const lowering of [undefined, 'conv', 'dft'] as const) {
          if (lowering && name.includes('function')) continue;
          const output = temporary.file('exported.onnx');
          const { touched } = await exportInPlace({ model, plan: planOf(model), filters, lowering, recausalise: false, output, dataFile: 'data' });
          const error = relative((await runThere(output, feeds)).get('out'), masked);
          assert.ok(error < tolerance, `${lowering ?? 'in place'}: ${error}`);
          const ofParts = await verifiedByParts(model, output, filters, touched);
          assert.ok(ofParts < tolerance, `${lowering ?? 'in place'}, by parts: ${ofParts}`);
        }
      } finally {
        await model.close();
      }
    });
  }
});

describe('long convolutions that cannot be masked are named with the reason', () => {
  const temporary = temporaryFolder();
  const kernel = (b: GraphBuilder, dims: readonly number[]): string => b.floats('k', dims, decaying(1, dims.reduce((a, c) => a * c, 1)));
  const loopBody = (): onnx.IGraphProto => {
    const inner = new GraphBuilder(['x', 'k']);
    inner.input('i', ElementType.INT64, []);
    inner.input('cond', ElementType.BOOL, []);
    inner.inputs.push({ name: 'x', type: { tensorType: { elemType: 1 } } });
    const y = addConvolution(inner, 'inner', 'x', 'k', T);
    const on = inner.node('Identity', 'inner', ['cond']);
    inner.output(on, ElementType.BOOL, []);
    inner.output(y, ElementType.FLOAT);
    return inner.graph('body');
  };
  const cases: Readonly<Record<string, readonly [RegExp, (b: GraphBuilder, u: string) => string]>> = {
    'several kernels a channel': [/has 2 kernels for each channel/, (b, u) => b.node('Conv', 'conv', [u, kernel(b, [2 * H, 1, T])], { attributes: { group: int(H), pads: ints([T - 1, 0]) } })],
    'mixes channels': [/mixes channels/, (b, u) => b.node('Conv', 'conv', [u, kernel(b, [H, H, T])], { attributes: { pads: ints([T - 1, 0]) } })],
    'dilated': [/gaps between its taps/, (b, u) => b.node('Conv', 'conv', [u, kernel(b, [H, 1, 32])], { attributes: { group: int(H), dilations: ints([2]), pads: ints([62, 0]) } })],
    'strided': [/moves by 2 samples/, (b, u) => b.node('Conv', 'conv', [u, kernel(b, [H, 1, T])], { attributes: { group: int(H), strides: ints([2]), pads: ints([T - 1, 0]) } })],
    'transposed': [/transposed/, (b, u) => b.node('ConvTranspose', 'conv', [u, kernel(b, [H, 1, T])], { attributes: { group: int(H) } })],
    'wrong already': [/is wrong in the file already.*onesided is missing/, (b, u) => addDftConvolution(b, 'conv', u, b.floats('k', [1, H, T], decaying(H, T)), { inverse: 'broken' })],
    'transforms shorter than the input': [/takes only the first 40 of its 64 samples/, (b, u) => {
      const cut = addDftConvolution(b, 'conv', u, b.floats('k', [1, H, 40], decaying(H, 40)), { size: 40 });
      return b.node('Pad', 'end', [cut, b.integers('end', [0, 0, 0, 0, 0, 24])]);
    }],
    'computed from the input': [/computed from the model's input/, (b, u) => addDftConvolution(b, 'conv', u, b.node('Tanh', 'k', [u]))],
    'a Toeplitz matrix': [/Toeplitz matrix/, (b, u) => {
      const k = decaying(1, T);
      return b.node('MatMul', 'product', [u, b.floats('matrix', [T, T], Float32Array.from({ length: T * T }, (_, i) => k[(i % T) - Math.floor(i / T)] ?? 0))]);
    }],
    'inside a Loop': [/inside the body of a Loop/, (b, u) => {
      kernel(b, [H, 1, T]);
      const trips = b.node('Constant', 'loop', [], { attributes: { value_int: int(2) } });
      return b.node('Loop', 'loop', [trips, '', u], { attributes: { body: { type: onnx.AttributeProto.AttributeType.GRAPH, g: loopBody() } } });
    }],
  };
  for (const [name, [reason, make]] of Object.entries(cases)) {
    it(name, async () => {
      const { b, u } = signalBuilder();
      b.nodeWithOutputs('Identity', 'end', [make(b, u)], { outputs: ['out'] });
      b.output('out', ElementType.FLOAT);
      const file = await temporary.write(`${name.replace(/\W+/g, '-')}.onnx`, encode(b));
      const model = await open(file);
      try {
        assert.deepEqual(model.sites, []);
        assert.match(model.notes.join('\n'), reason);
        const feeds = randomFeeds(await model.graph(), model.maxLength, 0, 2);
        const own = (await runThere(file, feeds)).get('out');
        assert.equal(relative((await runHere(model, new Map(), feeds)).get('out'), own), 0);
      } finally {
        await model.close();
      }
    });
  }

  it('a random factor is not a filter', async () => {
    const { b, u } = signalBuilder();
    const noise = b.node('RandomNormal', 'noise', [], { attributes: { shape: ints([1, H, T]), seed: float(1) } });
    finish(b, addDftConvolution(b, 'conv', u, noise));
    const model = await open(await temporary.write('random.onnx', encode(b)));
    assert.deepEqual(model.sites, []);
    await model.close();
  });
});
