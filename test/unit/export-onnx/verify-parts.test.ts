import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { exportInPlace } from '../../../extension/core/export/onnx/in-place';
import type { Lowering } from '../../../extension/core/export/onnx/lowering';
import { refuseUnloadable } from '../../../extension/core/export/onnx/skeleton';
import { openOnnx } from '../../../extension/core/formats/onnx/read';
import { float, int } from '../../../extension/core/graph/builder';
import { onnx } from '../../../extension/core/graph/onnx';
import { addConvolution, decaying, encode, finish, H, signalBuilder, T } from '../onnx/support/build';
import { keptFilters, open, planOf, sessions, verifiedByParts } from '../onnx/support/models';
import { temporaryFolder } from '../support/files';

const KEPT = 10;

/** Two sites, of which the first is changed, between other nodes. */
function model(): Uint8Array {
  const { b, u } = signalBuilder();
  const first = addConvolution(b, 'first', b.node('Elu', 'before', [u], { attributes: { alpha: float(0.5) } }), b.floats('k', [H, 1, T], decaying(H, T)), T);
  const between = b.node('Mul', 'between', [b.node('Tanh', 'between', [first]), b.floats('factors', [H, 1], Float32Array.of(1, 2, 3, 4))]);
  const second = addConvolution(b, 'second', between, b.floats('k2', [H, 1, T], decaying(H, T).reverse()), T);
  finish(b, b.node('Add', 'after', [second, u]));
  return encode(b);
}

describe('an export is verified by its parts', () => {
  const temporary = temporaryFolder();

  /** Exports the model with its first site cut, lets `tamper` change the written file, and verifies it. */
  async function verify(lowering: Lowering | undefined, tamper: (written: onnx.ModelProto, graph: onnx.IGraphProto) => void): Promise<number> {
    const source = await open(await temporary.write('model.onnx', model()));
    try {
      const output = temporary.file('written.onnx');
      const [[id, filter]] = await keptFilters(source, KEPT);
      const changed = new Map([[id, filter]]);
      const { touched } = await exportInPlace({ model: source, plan: planOf(source), filters: changed, lowering, recausalise: false, output, dataFile: 'data' });
      const message = onnx.ModelProto.decode(fs.readFileSync(output));
      tamper(message, message.graph!);
      fs.writeFileSync(output, onnx.ModelProto.encode(message).finish());
      return await verifiedByParts(source, output, changed, touched);
    } finally {
      await source.close();
    }
  }
  const nodeOf = (graph: onnx.IGraphProto, op: string, number = 0): onnx.INodeProto => graph.node!.filter(({ opType }) => opType === op)[number];
  const tensorOf = (graph: onnx.IGraphProto, name: string): onnx.ITensorProto => graph.initializer!.find((tensor) => tensor.name === name)!;

  for (const lowering of [undefined, 'conv', 'dft', 'function'] as const) {
    it(`as it was written: within rounding (${lowering ?? 'in place'})`, async () => {
      const difference = await verify(lowering, () => undefined);
      assert.ok(difference < 1e-6, `${difference}`);
    });
  }

  it('a wrong tap is seen', async () => {
    const difference = await verify(undefined, (_, graph) => { tensorOf(graph, 'k').rawData![4 * (T - 1) + 3] ^= 0x80; });
    assert.ok(difference > 0.1, `${difference}`);
  });

  it('a convolution that is padded otherwise is seen', async () => {
    const difference = await verify('conv', (_, graph) => { nodeOf(graph, 'Conv').attribute!.find(({ name }) => name === 'pads')!.ints = [KEPT - 2, 1]; });
    assert.ok(difference > 0.1, `${difference}`);
  });

  const refusals: Readonly<Record<string, readonly [RegExp, (written: onnx.ModelProto, graph: onnx.IGraphProto) => void]>> = {
    'a node that the plan does not touch': [/changed the node before\/Elu/, (_, graph) => { nodeOf(graph, 'Elu').attribute![0].f = 0.25; }],
    'another site': [/changed the node second\/Conv/, (_, graph) => { nodeOf(graph, 'Conv', 1).input![1] = 'k'; }],
    'a changed tensor that is read elsewhere': [/changed the node between\/Mul/, (_, graph) => { nodeOf(graph, 'Mul').input![1] = 'k'; }],
    'an added node': [/changed the node more/, (_, graph) => { graph.node!.push({ opType: 'Identity', name: 'more', input: ['k'], output: ['more'] }); }],
    'a result taken from elsewhere': [/changed the node end\/Identity/, (_, graph) => { graph.node!.find(({ output }) => output![0] === 'out')!.input![0] = 'second/Conv'; }],
    'a declared input': [/changed the input u/, (_, graph) => { graph.input![0].type!.tensorType!.shape!.dim![0].dimValue = 2; }],
    'a declared output': [/changed the output out/, (_, graph) => { graph.output![0].docString = 'other'; }],
    'one more output': [/changed the output first\/Conv/, (_, graph) => { graph.output!.push({ ...graph.output![0], name: 'first/Conv' }); }],
    'a lost tensor': [/changed the tensor factors/, (_, graph) => {
      graph.initializer = graph.initializer!.filter(({ name }) => name !== 'factors');
      graph.input!.push({ name: 'factors', type: { tensorType: { elemType: 1, shape: { dim: [{ dimValue: H }, { dimValue: 1 }] } } } });
    }],
    'a foreign metadata entry': [/changed the metadata entry kept/, (written) => { written.metadataProps.find(({ key }) => key === 'kept')!.value = 'other'; }],
    'the operator set': [/changed the operator set/, (written) => { written.opsetImport[0].version = 16; }],
    'the format version': [/changed the format version/, (written) => { written.irVersion = 9; }],
    'a function': [/changed the function mine:F/, (written) => {
      written.functions.push(onnx.FunctionProto.create({ name: 'F', domain: 'mine', input: ['x'], output: ['y'], opsetImport: [{ domain: '', version: 17 }], node: [{ opType: 'Identity', name: 'i', input: ['x'], output: ['y'] }] }));
    }],
  };
  for (const [what, [message, tamper]] of Object.entries(refusals)) {
    it(`refuses ${what}`, async () => {
      await assert.rejects(verify(undefined, tamper), (error: Error) => error.name === 'UserError' && message.test(error.message));
    });
  }

  it('refuses a result that depends on the input in another way', async () => {
    await assert.rejects(verify('conv', (_, graph) => {
      const conv = nodeOf(graph, 'Conv');
      graph.node!.splice(graph.node!.indexOf(conv) + 1, 0, { opType: 'Add', name: 'sneaks', input: ['inner', 'u'], output: ['sneaked'] });
      const last = graph.node!.find(({ input, name }) => input![0] === conv.output![0] && name !== 'sneaks')!;
      conv.output = ['inner'];
      last.input = ['sneaked'];
    }), /changed the result of first\/Conv/);
  });

  it('refuses what ONNX Runtime does not load, unless it does not load the source either', async () => {
    const altered = (change: (graph: onnx.IGraphProto) => void): Uint8Array => {
      const message = onnx.ModelProto.decode(model());
      change(message.graph!);
      return onnx.ModelProto.encode(message).finish();
    };
    const good = await openOnnx(await temporary.write('good.onnx', model()));
    const bad = await openOnnx(await temporary.write('bad.onnx', altered((graph) => { nodeOf(graph, 'Elu').attribute!.push({ name: 'unknown', ...int(1) } as onnx.AttributeProto); })));
    await refuseUnloadable(good, good, sessions);
    await refuseUnloadable(bad, bad, sessions);
    await assert.rejects(refuseUnloadable(good, bad, sessions), /ONNX Runtime does not take the model/);
    await good.close();
    await bad.close();
  });
});
