import * as assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { GraphBuilder, int } from '../../../extension/core/graph/builder';
import type { DenseTensor } from '../../../extension/core/graph/dense-sessions';
import { addLongConv } from '../../../extension/core/graph/long-conv-op';
import { filterInputName, type ModelGraph } from '../../../extension/core/graph/model-graph';
import { onnx } from '../../../extension/core/graph/onnx';
import { partition } from '../../../extension/core/graph/partition';
import { ModelRunner } from '../../../extension/core/graph/runtime';
import { OnnxSessions } from '../../../extension/kernel-host/onnx-sessions';
import { FLOAT, floatGraph, floats, runWhole } from './support/graphs';
import { causalFilter, siteOf } from './support/hyenadna';
import { assertClose, noise } from './support/measure';
import { referenceEngine } from './support/reference-engine';

const [H, TAPS, B, L] = [2, 5, 2, 6];

/** One value of a random graph: an operator on earlier values, named by their index modulo how many there are. */
interface Op {
  readonly kind: 'conv' | 'add' | 'mul' | 'tanh' | 'flip' | 'split' | 'reshape' | 'less';
  readonly a: number;
  readonly b: number;
  readonly gates: number;
}
interface Recipe { readonly ops: readonly Op[]; readonly extraOutputs: readonly number[]; readonly output: number }

const op: fc.Arbitrary<Op> = fc.record({
  kind: fc.constantFrom('conv', 'conv', 'conv', 'add', 'mul', 'tanh', 'flip', 'split', 'reshape', 'less'),
  a: fc.nat(1000), b: fc.nat(1000), gates: fc.nat(7),
});
const recipe: fc.Arbitrary<Recipe> = fc.record({
  ops: fc.array(op, { minLength: 1, maxLength: 14 }), extraOutputs: fc.array(fc.nat(1000), { maxLength: 3 }), output: fc.nat(1000),
});

/** Every value is [B, H, L] float32, except shapes and masks, which stay inside one recipe step but may be cut from their use. */
function randomGraph({ ops, extraOutputs, output }: Recipe): { graph: ModelGraph; sites: string[] } {
  const b = new GraphBuilder();
  const values = [b.input('x', FLOAT, ['batch', 'sequence', 'rest'])];
  const shapes: string[] = [];
  const masks: string[] = [];
  const sites: string[] = [];
  const weight = b.floats('weight', [H, 1], noise(H, 77));
  const skip = b.floats('skip', [H], noise(H, 78));
  const pick = (index: number): string => values[index % values.length];
  ops.forEach(({ kind, a, b: second, gates }, n) => {
    const scope = `op${n}`;
    const site = `site${n}`;
    switch (kind) {
      case 'conv':
        sites.push(site);
        values.push(addLongConv(b, {
          site, mode: 'causal', u: pick(a), k: b.input(filterInputName(site), FLOAT, [H, TAPS]),
          skip: gates & 1 ? skip : undefined,
          preGate: gates & 2 ? pick(second) : undefined,
          postGate: gates & 4 ? pick(a + second) : undefined,
        }, 16));
        break;
      case 'add': values.push(b.node('Add', scope, [pick(a), pick(second)])); break;
      case 'mul': values.push(b.node('Mul', scope, [pick(a), weight])); break;
      case 'tanh': values.push(b.node('Tanh', scope, [pick(a)])); break;
      case 'flip': {
        const range = [[-1], [-1000], [2], [-1]].map((bounds) => b.integers(scope, bounds));
        values.push(b.node('Slice', scope, [pick(a), ...range]));
        break;
      }
      case 'split': {
        const [left, right] = b.nodeWithOutputs('Split', scope, [pick(a)], { attributes: { axis: int(2) }, outputs: 2 });
        values.push(b.node('Concat', scope, [right, left], { attributes: { axis: int(2) } }));
        break;
      }
      case 'reshape':
        shapes.push(b.node('Shape', scope, [pick(a)]));
        values.push(b.node('Reshape', scope, [pick(second), shapes[gates % shapes.length]]));
        break;
      case 'less':
        masks.push(b.node('Less', scope, [pick(a), pick(second)]));
        values.push(b.node('Where', scope, [masks[gates % masks.length], pick(a), pick(second)]));
        break;
    }
  });
  const outputs = new Set([pick(output + values.length - 1), ...extraOutputs.map(pick)]);
  outputs.delete('x');
  if (!outputs.size) outputs.add(b.node('Identity', 'last', ['x']));
  for (const name of outputs) b.output(name, FLOAT);
  return { graph: floatGraph(b, [...outputs][0]), sites };
}

const filterRows = (site: string): Float32Array => noise(H * TAPS, 1000 + site.length + Number(site.slice(4)));

/** Runs a partition step by step, checking on the way that each value is there when needed and gone when released. */
async function runPieces(graph: ModelGraph, x: DenseTensor): Promise<Map<string, DenseTensor>> {
  const plan = partition(graph);
  const values = new Map<string, DenseTensor>();
  if (plan.inputs.includes('x')) values.set('x', x);
  for (const [name, { rawData }] of plan.constants) values.set(name, floats(new Float32Array(Uint8Array.from(rawData!).buffer), H));
  const get = (name: string): DenseTensor => {
    assert.ok(values.has(name), `${name} is needed but not there`);
    return values.get(name)!;
  };
  for (const step of plan.steps) {
    if (step.kind === 'dense') {
      assert.ok(step.outputs.length > 0, 'a piece that nobody needs');
      const session = await new OnnxSessions().create(onnx.ModelProto.encode(step.model).finish());
      const results = await session.run(new Map(step.inputs.map((name) => [name, get(name)])), step.outputs);
      results.forEach((result, name) => values.set(name, result));
      await session.dispose();
    } else {
      const { site, u, skip, preGate, postGate, output } = step.node;
      const prepared = await referenceEngine.prepare({ channels: H, mode: 'causal', filterLength: TAPS, maxLength: L }, filterRows(site));
      const data = (name?: string): Float32Array | undefined => (name ? (get(name).data as Float32Array) : undefined);
      const y = new Float32Array(B * H * L);
      const gates = { preGate: data(preGate), postGate: data(postGate) };
      await prepared.run({ input: data(u)!, output: y, batch: B, length: L, skip: data(skip), ...gates });
      values.set(output, floats(y, B, H, L));
    }
    step.release.forEach((name) => assert.ok(values.delete(name), `${name} is released but was not there`));
  }
  const left = new Set([...values.keys()].filter((name) => !plan.constants.has(name)));
  assert.deepEqual(left, new Set(plan.outputs), 'something is kept that nobody needs');
  return values;
}

describe('partition', () => {
  it('cut graphs compute what whole graphs compute, for random graphs', async () => {
    await fc.assert(fc.asyncProperty(recipe, async (random) => {
      const { graph, sites } = randomGraph(random);
      const x = floats(noise(B * H * L, 9), B, H, L);
      const kernels = sites.map((site): [string, DenseTensor] => [filterInputName(site), floats(filterRows(site), H, TAPS)]);
      const feeds = new Map([['x', x], ...kernels]);
      const wanted = graph.model.graph!.output!.map(({ name }) => name!);
      const whole = await runWhole(graph, feeds, wanted);
      const pieces = await runPieces(graph, x);
      for (const name of wanted) assertClose(pieces.get(name)!.data as Float32Array, whole.get(name)!.data as Float32Array, 2e-5);
      const filters = new Map(sites.map((site) => [site, causalFilter(siteOf(site, H, TAPS + 1), shifted(filterRows(site)), TAPS)]));
      const runner = await ModelRunner.create({ graph, sessions: new OnnxSessions(), engine: referenceEngine, filters, maxLength: L });
      for (let again = 0; again < 2; again++) {
        assertClose(await runner.run(x.data as Float32Array, B, H), whole.get(graph.output)!.data as Float32Array, 2e-5);
      }
      await runner.dispose();
    }), { numRuns: 60 });
  });

  it('makes as few pieces as the longest chain of convolutions allows', () => {
    const b = new GraphBuilder();
    const x = b.input('x', FLOAT, ['batch', H, 'length']);
    const conv = (site: string, u: string): string =>
      addLongConv(b, { site, mode: 'causal', u, k: b.input(filterInputName(site), FLOAT) }, 16);
    const before = b.node('Tanh', 'before', [x]);
    const parallel = [conv('a', before), conv('b', before)];
    const between = b.node('Add', 'between', parallel);
    const after = b.node('Mul', 'after', [conv('c', between), before]);
    b.node('Tanh', 'unused', [after]);
    b.output(after, FLOAT);
    const { steps } = partition(floatGraph(b, after));
    assert.deepEqual(steps.map((step) => (step.kind === 'dense' ? step.outputs.length : step.node.site)), [1, 'a', 'b', 1, 'c', 1]);
  });

  it('puts an initializer only into the pieces that use it', () => {
    const b = new GraphBuilder();
    const x = b.input('x', FLOAT, ['batch', H, 'length']);
    const first = b.node('Mul', 'first', [x, b.floats('w1', [H, 1], noise(H, 1))]);
    const y = addLongConv(b, { site: 'a', mode: 'causal', u: first, k: b.input(filterInputName('a'), FLOAT) }, 16);
    const last = b.node('Mul', 'last', [y, b.floats('w2', [H, 1], noise(H, 2))]);
    b.output(last, FLOAT);
    const { steps } = partition(floatGraph(b, last));
    const names = steps.map((step) => step.kind === 'dense' && step.model.graph!.initializer!.map(({ name }) => name));
    assert.deepEqual(names, [['w1'], false, ['w2']]);
  });

  it('gives subgraphs the values they take from outside, and refuses convolutions in them', async () => {
    const build = (inner: GraphBuilder, result: string): ModelGraph => {
      const b = new GraphBuilder();
      const x = b.input('x', FLOAT, ['batch', H, 'length']);
      const kept = b.node('Tanh', 'kept', [x]);
      const y = addLongConv(b, { site: 'site1', mode: 'causal', u: kept, k: b.input(filterInputName('site1'), FLOAT, [H, TAPS]) }, 16);
      const flag = b.node('Equal', 'flag', [b.integers('one', [1]), b.integers('one', [1])]);
      inner.output(result, FLOAT);
      const branch = { type: 5, g: inner.graph('branch') };
      const squeezed = b.node('Squeeze', 'flag', [flag, b.integers('axis', [0])]);
      const chosen = b.node('If', 'choice', [squeezed], { attributes: { then_branch: branch, else_branch: branch } });
      const sum = b.node('Add', 'sum', [y, chosen]);
      b.output(sum, FLOAT);
      return floatGraph(b, sum);
    };
    const harmless = new GraphBuilder();
    const graph = build(harmless, harmless.node('Neg', 'inner', ['kept/Tanh']));
    const x = floats(noise(B * H * L, 9), B, H, L);
    const feeds = new Map([['x', x], [filterInputName('site1'), floats(filterRows('site1'), H, TAPS)]]);
    const whole = await runWhole(graph, feeds, [graph.output]);
    assertClose((await runPieces(graph, x)).get(graph.output)!.data as Float32Array, whole.get(graph.output)!.data as Float32Array, 2e-6);

    const hiding = new GraphBuilder();
    const hidden = build(hiding, addLongConv(hiding, { site: 'h', mode: 'causal', u: 'kept/Tanh', k: 'k' }, 16));
    assert.throws(() => partition(hidden), /inside a subgraph of its node "choice\/If"/);
  });
});

/** Rows with one more tap, so that a filter of TAPS taps counts as cut. */
function shifted(rows: Float32Array): Float32Array {
  const longer = new Float32Array(H * (TAPS + 1));
  for (let c = 0; c < H; c++) longer.set(rows.subarray(c * TAPS, (c + 1) * TAPS), c * (TAPS + 1));
  return longer;
}
