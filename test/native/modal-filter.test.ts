import * as assert from 'node:assert/strict';
import type { ModalFilterRequest } from '../../extension/core/engine/engine';
import { modalFilter as reference } from '../unit/support/modal-reference';
import { engine } from './support/engine';
import { assertClose } from '../unit/graph/support/measure';

/** Deterministic numbers in [from, to). */
function spread(count: number, from: number, to: number, step = 0.6180339887): Float64Array {
  return Float64Array.from({ length: count }, (_, i) => from + (to - from) * ((i * step) % 1));
}

function request(channels: number, states: number, count: number, change: Partial<ModalFilterRequest> = {}): ModalFilterRequest {
  const modes = channels * states;
  return {
    channels, states, first: 0, count, output: new Float32Array(channels * count).fill(NaN),
    logPoles: { re: spread(modes, -0.02, -1e-4), im: spread(modes, -3.1, 3.1, 0.7548776662) },
    residues: { re: spread(modes, -1, 1, 0.5698402910), im: spread(modes, -1, 1, 0.8191725134) },
    ...change,
  };
}

/** Compares with the equation, lag by lag. */
async function assertEqualsReference(given: ModalFilterRequest): Promise<void> {
  await engine.modalFilter(given);
  const expected = new Float32Array(given.output.length);
  reference({ ...given, output: expected });
  assertClose(given.output, expected, 1e-6);
}

describe('modal filters', () => {
  const cases: readonly (readonly [what: string, given: ModalFilterRequest])[] = [
    ['one lag', request(3, 2, 1)],
    ['a part of a block', request(2, 5, 511)],
    ['exactly a block', request(2, 5, 512)],
    ['several blocks, the last one cut', request(3, 8, 1300)],
    ['a range in the middle', request(3, 4, 1000, { first: 777 })],
    ['lags that two threads share', request(1, 2, 140_000)],
    ['a direct term and a delay', request(2, 3, 600, { delay: 1, direct: Float64Array.of(5, -7) })],
    ['a delay that ends inside a later block', request(2, 3, 1200, { delay: 700 })],
    ['a delay beyond all lags but the direct one', request(1, 3, 20, { delay: 30, direct: Float64Array.of(2) })],
    ['a delay before the first lag wanted', request(2, 3, 600, { delay: 5, first: 100, direct: Float64Array.of(5, -7) })],
    ['real poles and residues', request(2, 16, 1000, { logPoles: { re: spread(32, -1, -1e-3) }, residues: { re: spread(32, -1, 1) } })],
    ['real poles with complex residues', request(2, 3, 700, { logPoles: { re: spread(6, -0.1, -1e-3) } })],
    ['poles of 0, whose power 0 is 1', request(2, 2, 700, { logPoles: { re: Float64Array.of(-Infinity, -0.1, -0.2, -Infinity) } })],
    ['growing poles', request(2, 2, 600, { logPoles: { re: Float64Array.of(0.01, -0.1, 0.02, -0.2), im: Float64Array.of(1, 2, 3, 0) } })],
    ['many states', request(1, 300, 700)],
  ];
  for (const [what, given] of cases) it(what, () => assertEqualsReference(given));

  it('does not lose accuracy far from lag 0', async () => {
    const far = request(2, 4, 100, { first: 10_000_000, logPoles: { re: spread(8, -1e-9, -1e-10), im: spread(8, 0, 3) } });
    await assertEqualsReference(far);
  });

  it('refuses arrays of other sizes', async () => {
    await assert.rejects(engine.modalFilter(request(2, 3, 10, { states: 4 })), /logPoles\.re has 6 elements where 8 are needed/);
    await assert.rejects(engine.modalFilter(request(2, 3, 10, { count: 11 })), /output has 20 elements where 22 are needed/);
    await assert.rejects(engine.modalFilter(request(2, 3, 10, { first: -1 })), /first is -1/);
  });

  it('makes 4096 filters of 131072 taps and 8 states in 20 s of processor time, by what a tenth of them takes', async () => {
    const part = request(41, 8, 131_072);
    await engine.modalFilter(part);
    const begin = process.cpuUsage();
    for (let i = 0; i < 10; i++) await engine.modalFilter(part);
    const { user, system } = process.cpuUsage(begin);
    const seconds = ((user + system) / 1e6) * (4096 / 410);
    assert.ok(seconds < 20, `${seconds.toFixed(1)} s`);
  });
});
