import * as assert from 'node:assert/strict';
import { GraphBuilder } from '../../../extension/core/graph/builder';
import type { DenseTensor } from '../../../extension/core/graph/dense-sessions';
import { addLongConv, fftSizeFor, isLongConv, readLongConv } from '../../../extension/core/graph/long-conv-op';
import { FLOAT, floatGraph, floats, runWhole } from './support/graphs';
import { assertClose, noise } from './support/measure';
import { referenceEngine } from './support/reference-engine';

const [B, H] = [2, 3];

/** Runs one LongConv by its function body and by the engine contract's sums. */
async function compare(
  mode: 'causal' | 'grid' | 'circular', length: number, filterLength: number, fftSize: number, optional: readonly string[],
): Promise<void> {
  const data: Record<string, Float32Array> = {
    x: noise(B * H * length, 1), k: noise(H * filterLength, 2),
    skip: noise(H, 3), preGate: noise(B * H * length, 4), postGate: noise(B * H * length, 5),
  };
  const b = new GraphBuilder();
  for (const name of ['x', 'preGate', 'postGate']) b.input(name, FLOAT, ['batch', H, 'length']);
  b.input('k', FLOAT, [H, filterLength]);
  b.input('skip', FLOAT, [H]);
  const has = (name: string): string | undefined => (optional.includes(name) ? name : undefined);
  const inputs = { u: 'x', k: 'k', skip: has('skip'), preGate: has('preGate'), postGate: has('postGate') };
  const y = addLongConv(b, { site: 'site', mode, ...inputs }, fftSize);
  b.output(y, FLOAT);
  const feeds = new Map<string, DenseTensor>(Object.entries(data).map(([name, values]) => [
    name, name === 'k' ? floats(values, H, filterLength) : name === 'skip' ? floats(values, H) : floats(values, B, H, length),
  ]));
  const actual = (await runWhole(floatGraph(b, y), feeds, [y])).get(y)!;
  assert.deepEqual(actual.dims, [B, H, length]);

  const grid = mode === 'grid' ? { fftSize, factors: [fftSize], kept: new Uint8Array(fftSize / 2 + 1).fill(1) } : undefined;
  const prepared = await referenceEngine.prepare({ channels: H, mode, filterLength, maxLength: length, grid }, data.k);
  const output = new Float32Array(B * H * length);
  const given = (name: string): Float32Array | undefined => (optional.includes(name) ? data[name] : undefined);
  const operands = { skip: given('skip'), preGate: given('preGate'), postGate: given('postGate') };
  await prepared.run({ input: data.x, output, batch: B, length, ...operands });
  assertClose(actual.data as Float32Array, output, 2e-6);
}

describe('LongConv as a function of standard operators', () => {
  const all = ['skip', 'preGate', 'postGate'];
  for (const length of [1, 2, 3, 31, 64, 500]) {
    it(`causal, length ${length}`, () => compare('causal', length, Math.max(1, length - 1), fftSizeFor(length), all));
  }
  it('causal, filter longer than the input', () => compare('causal', 20, 33, fftSizeFor(33), all));
  for (const optional of [[], ['skip'], ['preGate'], ['postGate'], ['skip', 'postGate']]) {
    it(`with ${optional.join(' and ') || 'neither gate nor skip'}`, () => compare('causal', 17, 17, 64, optional));
  }
  it('on a grid, negative lags included', () => compare('grid', 32, 64, 64, all));
  it('circular, even length', () => compare('circular', 64, 64, 64, all));
  it('circular, odd length, shorter filter', () => compare('circular', 15, 9, 15, all));
});

describe('LongConv nodes', () => {
  it('are read back as they were added', () => {
    const b = new GraphBuilder(['u', 'k', 'gate']);
    const output = addLongConv(b, { site: 'layers.0.mixer', mode: 'causal', u: 'u', k: 'k', postGate: 'gate' }, 64);
    assert.ok(isLongConv(b.nodes[0]));
    const gates = { skip: undefined, preGate: undefined, postGate: 'gate' };
    assert.deepEqual(readLongConv(b.nodes[0]), { site: 'layers.0.mixer', mode: 'causal', u: 'u', k: 'k', ...gates, output });
  });

  it('are refused in a sentence when malformed', () => {
    const b = new GraphBuilder();
    addLongConv(b, { site: 's', mode: 'causal', u: 'u', k: '' }, 64);
    assert.throws(() => readLongConv(b.nodes[0]), /malformed: it needs inputs u and k/);
    b.nodes[0].attribute = [];
    assert.throws(() => readLongConv(b.nodes[0]), /no attribute "mode"/);
  });
});
