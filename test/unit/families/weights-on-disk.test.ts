import * as assert from 'node:assert/strict';
import { weightsPlace } from '../../../extension/core/families/shared/memory';
import type { LongConvModel } from '../../../extension/core/families/model';
import { partition } from '../../../extension/core/graph/partition';
import { assertRun, Expected, withModel } from './golden';

/** A thousandth of a gigabyte takes a layer of the golden models, and not all of them twice. */
const MEMORY = 'LONGCONV_MEMORY_GB';
const CASES = [['stripedhyena-a', 3e-4], ['evo1-a', 3e-4], ['evo2-a', 3e-4], ['h3-a', 3e-4], ['h3-attn-a', 3e-4]] as const;

describe('models larger than memory', () => {
  const before = process.env[MEMORY];
  afterEach(() => {
    if (before === undefined) delete process.env[MEMORY];
    else process.env[MEMORY] = before;
  });
  const withLittleMemory = (name: string, gigabytes: number, use: (model: LongConvModel) => Promise<void>): Promise<void> => {
    process.env[MEMORY] = String(gigabytes);
    return withModel(name, undefined, use);
  };

  for (const [name, gigabytes] of CASES) {
    it(`${name}: the same outputs with weights that are read layer by layer`, () => withLittleMemory(name, gigabytes, async (model) => {
      assert.match(model.weightsOnDisk ?? '', /billion parameters, which take/);
      assert.equal(model.sitesOnly, undefined);
      assert.ok(model.notes.some((note) => /every run reads its weights from disk, layer by layer/.test(note)));
      await assertRun(model, await Expected.read(name), 'short', 2e-6);
    }));
  }

  it('a piece needs the weights of one layer, and nothing holds them after it', () => withLittleMemory('evo1-a', 3e-4, async (model) => {
    const graph = await model.graph();
    assert.equal(graph.model.graph!.initializer!.length, 0);
    const { steps, inputs } = partition(graph);
    assert.deepEqual(inputs, ['input_ids']);
    const seen = new Set<string>();
    for (const step of steps) {
      const names = (step.kind === 'dense' ? step.inputs : [step.node.skip ?? '']).filter((name) => graph.stored!.has(name));
      const layers = new Set(names.map((name) => /blocks\.\d+/.exec(name)?.[0]).filter((layer) => layer !== undefined));
      assert.ok(layers.size <= 1, names.join(', '));
      names.forEach((name) => seen.add(name));
    }
    assert.deepEqual([...seen].sort(), [...graph.stored!.keys()].sort());
    const [name, weight] = [...graph.stored!][0];
    const [first, second] = [await weight.read(), await weight.read()];
    assert.notEqual(first, second);
    assert.deepEqual(first, second);
    assert.deepEqual(first, await model.file.readFloat32(name));
  }));

  it('are run in memory, from disk or not at all, whichever fits', () => {
    const gigabyte = 2 ** 30;
    assert.deepEqual(weightsPlace(1e9, 1e8, 16 * gigabyte), { kind: 'memory' });
    assert.deepEqual(weightsPlace(7e9, 2e8, 16 * gigabyte), { kind: 'disk', why: 'has 7.00 billion parameters, which take 52 GB while it runs, and there are 16 GB here' });
    assert.equal(weightsPlace(40e9, 2e9, 8 * gigabyte).kind, 'nowhere');
  });

  it('refuses a layer that does not fit', () => withLittleMemory('evo1-a', 1e-5, async (model) => {
    assert.match(model.sitesOnly ?? '', /for one layer, and there are/);
    await assert.rejects(model.graph(), /cannot be run as a whole: it has 0\.00 billion parameters/);
  }));
});
