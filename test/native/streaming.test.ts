import * as assert from 'node:assert/strict';
import { ConvolutionStream } from '../../extension/core/engine/convolution-stream';
import type { PreparedConvolution } from '../../extension/core/engine/engine';
import { noise } from '../unit/graph/support/measure';
import { assertAccurate, assertSameBits } from './support/accuracy';
import { engine } from './support/engine';

const [batch, channels] = [2, 3];

/** Points [from, to) of every row of [rows, length]. */
function piece(values: Float32Array, length: number, from: number, to: number): Float32Array {
  const rows = values.length / length;
  const part = new Float32Array(rows * (to - from));
  for (let row = 0; row < rows; row++) part.set(values.subarray(row * length + from, row * length + to), row * (to - from));
  return part;
}

/** Runs [batch, channels, length] in pieces of these sizes, over and over; gated, with a skip term. */
async function inPieces(prepared: PreparedConvolution, signals: { input: Float32Array; preGate: Float32Array; postGate: Float32Array; skip: Float32Array }, length: number, sizes: readonly number[]): Promise<Float32Array> {
  const stream = new ConvolutionStream(prepared, batch);
  const whole = new Float32Array(signals.input.length);
  for (let from = 0, i = 0; from < length; i++) {
    const to = Math.min(length, from + sizes[i % sizes.length]);
    const [input, preGate, postGate] = [signals.input, signals.preGate, signals.postGate].map((values) => piece(values, length, from, to));
    const output = new Float32Array(input.length).fill(NaN);
    await stream.push({ input, output, preGate, postGate, skip: signals.skip, batch, length: to - from });
    for (let row = 0; row < batch * channels; row++) whole.set(output.subarray(row * (to - from), (row + 1) * (to - from)), row * length + from);
    from = to;
  }
  return whole;
}

describe('inputs in pieces', () => {
  for (const [taps, length, sizes] of [[1, 1000, [7, 100]], [16, 5000, [1, 3, 1000]], [100, 30000, [50, 4096, 9]], [1000, 40000, [500, 20000]], [3000, 300000, [200000, 13]]] as const) {
    it(`of ${sizes.join(', ')} points, ${taps} taps: as in one run`, async () => {
      const prepared = await engine.prepare({ channels, mode: 'causal', filterLength: taps, maxLength: length }, noise(channels * taps, taps));
      const count = batch * channels * length;
      const signals = { input: noise(count, 1), preGate: noise(count, 2), postGate: noise(count, 3), skip: noise(channels, 4) };
      const output = new Float32Array(count);
      await prepared.run({ ...signals, output, batch, length });
      assertAccurate(await inPieces(prepared, signals, length, sizes), Float64Array.from(output), prepared.prediction.algorithm);
      prepared.free();
    });
  }

  it('a cancelled piece leaves the stream where it was', async () => {
    const prepared = await engine.prepare({ channels, mode: 'causal', filterLength: 64, maxLength: 10000 }, noise(channels * 64, 1));
    const [first, second] = [1, 2].map((seed) => noise(channels * 10000, seed));
    const run = async (interrupted: boolean): Promise<Float32Array> => {
      const stream = new ConvolutionStream(prepared, 1);
      const output = new Float32Array(first.length);
      await stream.push({ input: first, output, batch: 1, length: 10000 });
      if (interrupted) await assert.rejects(stream.push({ input: first, output, batch: 1, length: 10000 }, AbortSignal.abort()), { code: 'cancelled' });
      await stream.push({ input: second, output, batch: 1, length: 10000 });
      return output;
    };
    assertSameBits(await run(true), await run(false), 'the piece after');
    prepared.free();
  });

  it('are refused where a filter is too long for them, and in other modes', async () => {
    const long = await engine.prepare({ channels: 1, mode: 'causal', filterLength: 1000, maxLength: 1000 }, noise(1000, 1));
    const call = { input: new Float32Array(500), output: new Float32Array(500), batch: 1, length: 500 };
    await assert.rejects(long.run({ ...call, history: new Float32Array(999) }), /longer than the 1000 points/);
    await assert.rejects(long.run({ ...call, history: new Float32Array(3) }), /call\.history has 3 elements where 999 are needed/);
    long.free();
    const circular = await engine.prepare({ channels: 1, mode: 'circular', filterLength: 9, maxLength: 500 }, noise(9, 1));
    await assert.rejects(circular.run({ ...call, history: new Float32Array(8) }), /Only a causal convolution/);
    circular.free();
  });

  it('keep the memory of the process bounded at 4M points', async () => {
    const [taps, length, size] = [4096, 2 ** 22, 2 ** 16];
    const prepared = await engine.prepare({ channels: 4, mode: 'causal', filterLength: taps, maxLength: length }, noise(4 * taps, 1));
    const stream = new ConvolutionStream(prepared, 1);
    const input = noise(4 * size, 2);
    const output = new Float32Array(input.length);
    await stream.push({ input, output, batch: 1, length: size });
    const before = process.memoryUsage().rss;
    for (let from = size; from < length; from += size) await stream.push({ input, output, batch: 1, length: size });
    const grown = process.memoryUsage().rss - before;
    prepared.free();
    assert.ok(output.some((value) => value !== 0));
    assert.ok(grown < 64 * 2 ** 20, `${grown} bytes more at the end than after the first piece`);
  });
});
