import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { exportInPlace } from '../../../extension/core/export/onnx/in-place';
import { ElementType, GraphBuilder, int, ints, tensor } from '../../../extension/core/graph/builder';
import { randomFeeds } from '../../../extension/core/graph/feeds';
import { onnx } from '../../../extension/core/graph/onnx';
import { temporaryFolder } from '../support/files';
import { addConvolution, addDftConvolution, decaying, encode, H, type ModelOptions, signalBuilder, T } from './support/build';
import { keptFilters, open, planOf, relative, runHere, runThere, verifiedByParts } from './support/models';

type Convolve = (b: GraphBuilder, x: string) => string;
const graph = (g: onnx.IGraphProto) => ({ type: onnx.AttributeProto.AttributeType.GRAPH, g });
const kernel = (b: GraphBuilder): string => b.floats('k', [H, 1, T], decaying(H, T));

/** y = convolve(x), twice, in the body of a Loop. */
function loop(b: GraphBuilder, u: string, convolve: Convolve): string {
  const body = new GraphBuilder(['x', 'captured']);
  body.input('i', ElementType.INT64, []);
  body.input('cond', ElementType.BOOL, []);
  body.inputs.push({ name: 'x', type: { tensorType: { elemType: 1 } } });
  const y = convolve(body, 'x');
  body.output(body.node('Identity', 'inner', ['cond']), ElementType.BOOL, []);
  body.output(y, ElementType.FLOAT);
  return b.node('Loop', 'loop', [b.node('Constant', 'loop', [], { attributes: { value_int: int(2) } }), '', u], { attributes: { body: graph(body.graph('body')) } });
}

/** convolve(u) in one branch, u in the other. Names of values are unique in bodies too. */
function branch(b: GraphBuilder, u: string, convolve: Convolve, scope = 'if'): string {
  const condition = b.node('Greater', scope, [b.node('ReduceSum', scope, [u], { attributes: { keepdims: int(0) } }), b.scalar(scope, -1e9)]);
  const [then, otherwise] = [convolve, (inner: GraphBuilder, x: string) => inner.node('Identity', `${scope}/same`, [x])].map((make) => {
    const inner = new GraphBuilder([u, 'captured']);
    inner.output(make(inner, u), ElementType.FLOAT);
    return graph(inner.graph('branch'));
  });
  return b.node('If', scope, [condition], { attributes: { then_branch: then, else_branch: otherwise } });
}

/** convolve of each item of a sequence of one. */
function scan(b: GraphBuilder, u: string, convolve: Convolve): string {
  const body = new GraphBuilder();
  body.input('x', ElementType.FLOAT, [1, H, T]);
  body.output(convolve(body, 'x'), ElementType.FLOAT, [1, H, T]);
  const sequence = b.node('Unsqueeze', 'scan', [u, b.integers('scan', [0])]);
  const results = b.node('Scan', 'scan', [sequence], { attributes: { body: graph(body.graph('body')), num_scan_inputs: int(1) } });
  return b.node('Squeeze', 'scan', [results, b.integers('scan', [0])]);
}

const conv: Convolve = (b, x) => addConvolution(b, 'inner', x, kernel(b), T);
const inConstant: Convolve = (b, x) => addConvolution(b, 'inner', x, b.node('Constant', 'k', [], { attributes: { value: tensor({ dims: [H, 1, T], dataType: ElementType.FLOAT, rawData: Buffer.from(decaying(H, T).buffer) }) } }), T);
const byTransforms: Convolve = (b, x) => addDftConvolution(b, 'inner', x, b.floats('k', [1, H, T], decaying(H, T)));
const called: Convolve = (b, x) => b.node('Outer', 'call', [x, kernel(b)], { domain: 'mine' });
/** Mine:Outer calls Mine:Inner, which convolves. */
function functions(): onnx.IFunctionProto[] {
  const inner = new GraphBuilder(['u', 'k']);
  const y = addConvolution(inner, 'body', 'u', 'k', T);
  const opsetImport = [{ domain: '', version: 17 }, { domain: 'mine', version: 1 }];
  return [
    { name: 'Inner', domain: 'mine', input: ['u', 'k'], output: [y], node: inner.nodes, opsetImport },
    { name: 'Outer', domain: 'mine', input: ['u', 'k'], output: ['v'], node: [{ opType: 'Inner', domain: 'mine', name: 'inner', input: ['u', 'k'], output: ['v'] }], opsetImport },
  ];
}
const withFunctions: ModelOptions = { functions: functions(), domains: ['mine'] };

describe('long convolutions in bodies and functions', () => {
  const temporary = temporaryFolder();
  const write = (make: (b: GraphBuilder, u: string) => string, options?: ModelOptions): Promise<string> => {
    const { b, u } = signalBuilder();
    b.nodeWithOutputs('Identity', 'end', [make(b, u)], { outputs: ['out'] });
    b.output('out', ElementType.FLOAT);
    return temporary.write('model.onnx', encode(b, options));
  };

  const bodies = { Loop: loop, If: branch, Scan: scan };
  const forms: Readonly<Record<string, readonly [Convolve, RegExp, ModelOptions?]>> = {
    'Conv': [conv, /Conv \S*inner\/Conv a convolution of 64 taps/],
    'Conv with its kernel in a Constant': [inConstant, /Conv \S*inner\/Conv a convolution of 64 taps/],
    'DFT': [byTransforms, /DFT \S*inner\/DFT\S* a convolution by transforms/],
    'a call of a function': [called, /Conv \S*call\/Outer\/inner\/body\/Conv a convolution of 64 taps/, withFunctions],
    'another body': [(b, x) => branch(b, x, conv, 'within'), /Conv \S*then_branch\/inner\/Conv a convolution of 64 taps/],
  };
  for (const [op, wrap] of Object.entries(bodies)) {
    for (const [form, [convolve, what, options]] of Object.entries(forms)) {
      it(`${form} in the body of ${op} is named, and the model runs as it is`, async () => {
        const model = await open(await write((b, u) => wrap(b, u, convolve), options));
        try {
          assert.deepEqual(model.sites, []);
          const notes = model.notes.join('\n');
          assert.match(notes, what);
          assert.match(notes, new RegExp(`is inside the body of an? ${form === 'another body' ? 'If' : op}, where the graph cannot be cut`));
          const feeds = randomFeeds(await model.graph(), T, 0, 2);
          assert.equal(relative((await runHere(model, new Map(), feeds)).get('out'), (await runThere(model.path, feeds)).get('out')), 0);
        } finally {
          await model.close();
        }
      });
    }
  }

  it('a kernel computed outside of the body is recognised', async () => {
    const model = await open(await write((b, u) => {
      b.nodeWithOutputs('Mul', 'k', [kernel(b), b.scalar('k', 2)], { outputs: ['captured'] });
      return loop(b, u, (inner, x) => inner.node('Conv', 'inner', [x, 'captured'], { attributes: { group: int(H), pads: ints([T - 1, 0]) } }));
    }));
    assert.match(model.notes.join('\n'), /a convolution of 64 taps is inside the body of a Loop/);
    await model.close();
  });

  it('a function that calls others is looked into, and both of its calls are sites of their own', async () => {
    const file = await write((b, u) => {
      const k = kernel(b);
      const first = b.node('Outer', 'call', [u, k], { domain: 'mine' });
      return b.node('Outer', 'call', [b.node('Tanh', 'between', [first]), k], { domain: 'mine' });
    }, withFunctions);
    const model = await open(file);
    try {
      assert.deepEqual(model.sites.map(({ direction, taps }) => [direction, taps]), [['causal', T], ['causal', T]]);
      const feeds = randomFeeds(await model.graph(), T, 0, 2);
      const own = (await runThere(file, feeds)).get('out');
      assert.ok(relative((await runHere(model, await keptFilters(model), feeds)).get('out'), own) < 2e-6);
      const kept = await keptFilters(model, 10);
      const [first, second] = model.sites;
      // Only the second is cut: the tensor that both share stays.
      const filters = new Map([[second.id, kept.get(second.id)!]]);
      const all = new Map([[first.id, (await keptFilters(model)).get(first.id)!], ...filters]);
      const masked = (await runHere(model, all, feeds)).get('out');
      for (const lowering of [undefined, 'conv', 'dft', 'function'] as const) {
        const output = temporary.file('cut.onnx');
        const { touched } = await exportInPlace({ model, plan: planOf(model), filters, lowering, recausalise: false, output, dataFile: 'data' });
        const error = relative((await runThere(output, feeds)).get('out'), masked);
        assert.ok(error < 2e-6, `${lowering ?? 'in place'}: ${error}`);
        const ofParts = await verifiedByParts(model, output, filters, touched);
        assert.ok(ofParts < 2e-6, `${lowering ?? 'in place'}, by parts: ${ofParts}`);
        fs.rmSync(output);
      }
    } finally {
      await model.close();
    }
  });

  it('functions that call themselves or each other without end are refused', async () => {
    const opsetImport = [{ domain: '', version: 17 }, { domain: 'mine', version: 1 }];
    const call = (op: string, i: number): onnx.INodeProto => ({ opType: op, domain: 'mine', name: `n${i}`, input: ['u'], output: [`v${i}`] });
    const doubling = Array.from({ length: 40 }, (_, i): onnx.IFunctionProto => ({ name: `F${i}`, domain: 'mine', input: ['u'], output: ['v0'], node: i === 39 ? [{ opType: 'Identity', name: 'n', input: ['u'], output: ['v0'] }] : [call(`F${i + 1}`, 0), call(`F${i + 1}`, 1)], opsetImport }));
    const endless: onnx.IFunctionProto = { name: 'F0', domain: 'mine', input: ['u'], output: ['v0'], node: [call('F0', 0)], opsetImport };
    for (const [given, message] of [[doubling, /call each other more than 32 deep/], [doubling.slice(10).map((fn, i) => (i === 0 ? { ...fn, name: 'F0' } : fn)), /expand to more than 200000 nodes/], [[endless], /more than 32 deep/]] as const) {
      const file = await write((b, u) => b.node('F0', 'call', [u], { domain: 'mine' }), { functions: [...given], domains: ['mine'] });
      await assert.rejects(open(file), (error: Error) => error.name === 'UserError' && message.test(error.message));
    }
  });
});
