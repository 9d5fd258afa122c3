import * as assert from 'node:assert/strict';
import { UserError } from '../../../extension/core/errors';
import { openModel } from '../../../extension/core/families/registry';
import { compileForGpu } from '../../../extension/core/gpu/compile';
import { ElementType, GraphBuilder } from '../../../extension/core/graph/builder';
import { MODEL } from '../cli/cli';

describe('graphs compiled for the GPU', () => {
  it('a HyenaDNA layer becomes eight operations, none of them a transposition', async () => {
    const model = await openModel(MODEL);
    const program = compileForGpu(await model.graph());
    await model.close();
    const layer = ['norm', 'linear', 'depthwise', 'convolution', 'linear', 'norm', 'linear', 'linear'];
    assert.deepEqual(program.steps.map(({ kind }) => kind), ['embedding', ...layer, ...layer, 'norm', 'linear']);
    const linear = program.steps.flatMap((step) => (step.kind === 'linear' ? [step] : []));
    // in_proj, out_proj, fc1, fc2 of a layer: bias everywhere, GELU in fc1, the residual sum in out_proj and fc2.
    assert.deepEqual(linear.slice(0, 4).map(({ bias, activation, residual, transposedInput }) => [bias !== undefined, activation, residual !== undefined, transposedInput]),
      [[true, 'none', false, false], [true, 'none', true, true], [true, 'gelu-tanh', false, false], [true, 'none', true, false]]);
    const depthwise = program.steps.find((step) => step.kind === 'depthwise');
    assert.equal(depthwise?.kind === 'depthwise' && depthwise.transposedInput && depthwise.outputs.length, 3);
  });

  it('every value is released once, after its last reader', async () => {
    const model = await openModel(MODEL);
    const program = compileForGpu(await model.graph());
    await model.close();
    const alive = new Set([program.input.name]);
    for (const step of program.steps) {
      for (const name of step.reads) assert.ok(alive.has(name) || program.constants.has(name), `${step.name} reads ${name}`);
      for (const name of step.writes) alive.add(name);
      for (const name of step.release) assert.ok(alive.delete(name), `${name} is released twice`);
    }
    assert.deepEqual([...alive], [program.output]);
  });

  it('an operator that the GPU lacks is refused by name', () => {
    const b = new GraphBuilder();
    b.input('x', ElementType.FLOAT, [1, 'length', 4]);
    const y = b.node('Softmax', 'attention', ['x']);
    b.output(y, ElementType.FLOAT);
    const graph = { model: { graph: b.graph('g') }, input: { name: 'x', kind: 'float' as const }, output: y };
    assert.throws(() => compileForGpu(graph), (error) => error instanceof UserError && /operator Softmax \(attention\/Softmax\)/.test(error.message));
  });
});
