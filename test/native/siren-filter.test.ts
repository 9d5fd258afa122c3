import * as assert from 'node:assert/strict';
import type { SirenFilterRequest } from '../../extension/core/engine/engine';
import { REFERENCE_ENGINE } from '../unit/families/siren-reference';
import { assertClose, noise } from '../unit/graph/support/measure';
import { engine } from './support/engine';

interface Shape { readonly positions: number; readonly features: number; readonly width: number; readonly hidden: number; readonly channels: number }

function request({ positions, features, width, hidden, channels }: Shape, frequency: number): SirenFilterRequest {
  return {
    z: noise(positions * features, 1),
    t: Float32Array.from({ length: positions }, (_, i) => i / Math.max(1, positions - 1)),
    features,
    layers: Array.from({ length: hidden }, (_, i) => ({ weight: noise(width * (i === 0 ? features : width), 10 + i), bias: noise(width, 20 + i) })),
    freq: noise(width, 30).map((value) => frequency * (1.5 + value)),
    output: noise(channels * width, 40),
    window: { deltas: noise(channels, 50).map((value) => 20 * value), shift: 0.05 },
  };
}

const matchesReference = async (what: SirenFilterRequest): Promise<void> =>
  assertClose(await engine.sirenFilter(what), await REFERENCE_ENGINE.sirenFilter(what), 1e-7);

describe('sirenFilter against float64', () => {
  const shapes: readonly Shape[] = [
    { positions: 1, features: 1, width: 1, hidden: 1, channels: 1 }, { positions: 63, features: 3, width: 5, hidden: 2, channels: 3 },
    { positions: 1000, features: 5, width: 64, hidden: 3, channels: 8 }, { positions: 257, features: 33, width: 16, hidden: 4, channels: 65 },
    { positions: 129, features: 7, width: 100, hidden: 1, channels: 2 }, { positions: 4, features: 100, width: 6, hidden: 2, channels: 5 },
  ];
  for (const shape of shapes) {
    it(`${shape.channels} channels, ${shape.positions} positions, ${shape.features} features, ${shape.hidden} layers of ${shape.width}`, async () => {
      const windowed = request(shape, 1);
      await matchesReference(windowed);
      await matchesReference({ ...windowed, window: undefined });
      await matchesReference({ ...windowed, window: { ...windowed.window!, shift: 0 } });
    });
  }

  it('sines of any argument', async () => {
    const shape = { positions: 200, features: 3, width: 16, hidden: 1, channels: 4 };
    for (const frequency of [0, 1e-6, 10, 1e3, 1e5, 1e6, 1e8, 1e12]) {
      const what = request(shape, frequency);
      // A first layer of sin(0) = 0 would be an all-zero filter: the bias alone carries the shape's smallest case.
      if (frequency > 0) await matchesReference(what);
      else assert.ok((await engine.sirenFilter(what)).every((value) => value === 0));
    }
  });

  it('windows that underflow', async () => {
    const what = request({ positions: 500, features: 3, width: 16, hidden: 2, channels: 4 }, 1);
    await matchesReference({ ...what, window: { deltas: Float32Array.of(0, 5, -800, 3000), shift: 0 } });
    await matchesReference({ ...what, window: { deltas: Float32Array.of(1e-8, -1e4, 1e6, -1e30), shift: 0.01 } });
  });

  it('parts of the positions and of the channels are the same bits', async () => {
    const what = request({ positions: 300, features: 5, width: 24, hidden: 2, channels: 9 }, 10);
    const whole = await engine.sirenFilter(what);
    const tail = await engine.sirenFilter({ ...what, z: what.z.subarray(100 * 5), t: what.t.subarray(100) });
    const some = await engine.sirenFilter({ ...what, output: what.output.subarray(3 * 24, 5 * 24), window: { ...what.window!, deltas: what.window!.deltas.subarray(3, 5) } });
    for (let c = 0; c < 9; c++) assert.deepEqual(tail.subarray(c * 200, (c + 1) * 200), whole.subarray(c * 300 + 100, (c + 1) * 300));
    assert.deepEqual(some, whole.subarray(3 * 300, 5 * 300));
    // Into a larger array: the same bits, and nothing beside them.
    const rows = new Float32Array(1 + 8 * 310 + 300 + 1).fill(7);
    assert.equal(await engine.sirenFilter({ ...what, into: { rows: rows.subarray(1), stride: 310 } }).then(({ buffer }) => buffer), rows.buffer);
    rows.forEach((value, i) => {
      const [c, p] = [Math.floor((i - 1) / 310), (i - 1) % 310];
      assert.equal(value, i > 0 && p < 300 && c < 9 ? whole[c * 300 + p] : 7);
    });
  });
});
