import * as assert from 'node:assert/strict';
import type { SampleType } from '../../extension/core/engine/engine';
import { float32ToBfloat16, float32ToFloat16, widenBfloat16, widenFloat16 } from '../../extension/core/formats/float16';
import { noise } from '../unit/graph/support/measure';
import { assertAccurate } from './support/accuracy';
import { allCases } from './support/cases';
import { convolve, gatedInput, withSkipAndGate } from './support/convolution-reference';
import { engine } from './support/engine';

type HalfType = Exclude<SampleType, 'f32'>;

const NARROW: Readonly<Record<HalfType, (value: number) => number>> = { f16: float32ToFloat16, bf16: float32ToBfloat16 };
const WIDEN: Readonly<Record<HalfType, (source: Uint16Array, target: Float32Array) => void>> = { f16: widenFloat16, bf16: widenBfloat16 };
/** Rounding of the output: half a unit in the last place of 11 and 8 bits, and what float32 adds. */
const ALLOWED: Readonly<Record<HalfType, number>> = { f16: 2 ** -11, bf16: 2 ** -8 };

const narrow = (values: Float32Array, type: HalfType): Uint16Array => Uint16Array.from(values, NARROW[type]);

function widen(samples: Uint16Array, type: HalfType): Float32Array {
  const values = new Float32Array(samples.length);
  WIDEN[type](samples, values);
  return values;
}

describe('16-bit samples', () => {
  const [batch, channels] = [3, 2];
  for (const type of ['f16', 'bf16'] as const) {
    for (const length of [1, 63, 1000, 5000]) {
      it(`${type}, L ${length}: inputs, gates, filters and outputs against float64`, async () => {
        for (const { name, make } of allCases(length)) {
          const { spec, filter } = make(channels);
          const half = narrow(filter(), type);
          const count = batch * channels * length;
          const [input, preGate, postGate] = [1, 2, 3].map((seed) => narrow(noise(count, seed + length), type));
          const skip = noise(channels, 4);
          const values = { input: widen(input, type), preGate: widen(preGate, type), postGate: widen(postGate, type), skip, batch, length };
          const expected = withSkipAndGate(convolve(spec, widen(half, type), gatedInput(values), batch, length), values, channels);
          const prepared = await engine.prepare({ ...spec, filterType: type }, half);
          const output = new Uint16Array(count).fill(0x7fff);
          await prepared.run({ input, output, preGate, postGate, skip, batch, length, sampleType: type });
          prepared.free();
          assertAccurate(widen(output, type), expected, `${name}, ${prepared.prediction.algorithm}`, ALLOWED[type]);
        }
      });
    }

    it(`${type}: every bit pattern is read, and written again, as itself; values between round to even`, async () => {
      for (const instructionSet of engine.devices().cpu.instructionSets) {
        const prepared = await engine.prepare({ channels: 1, mode: 'causal', filterLength: 1, maxLength: 65536, instructionSet }, Float32Array.of(1));
        const input = Uint16Array.from({ length: 65536 }, (_, i) => i);
        const output = new Uint16Array(65536);
        await prepared.run({ input, output, batch: 1, length: 65536, sampleType: type });
        const [given, got] = [widen(input, type), widen(output, type)];
        given.forEach((value, i) => assert.ok(Number.isNaN(value) ? Number.isNaN(got[i]) : value === got[i], `${instructionSet}: pattern ${i} became ${output[i]}`));

        // 1 + 2^-9 + 2^-12 (and so on) times every pattern: results with more digits than the type has.
        const factor = Math.fround(1 + 2 ** -9 + 2 ** -12);
        const scaled = await engine.prepare({ channels: 1, mode: 'causal', filterLength: 1, maxLength: 65536, instructionSet }, Float32Array.of(factor));
        await scaled.run({ input, output, batch: 1, length: 65536, sampleType: type });
        given.forEach((value, i) => {
          const product = Math.fround(value * factor);
          if (Number.isNaN(product)) return;
          const [actual, expected] = [output[i], NARROW[type](product)].map((bits) => widen(Uint16Array.of(bits), type)[0]);
          // By value: a sum loses the sign of zero.
          assert.ok(actual === expected, `${instructionSet}: ${product} became ${actual}, not ${expected}`);
        });
        scaled.free();
        prepared.free();
      }
    });
  }

  it('of another array type are refused', async () => {
    const prepared = await engine.prepare({ channels: 1, mode: 'causal', filterLength: 1, maxLength: 4 }, Float32Array.of(1));
    const call = { input: new Float32Array(4), output: new Float32Array(4), batch: 1, length: 4, sampleType: 'f16' };
    await assert.rejects(prepared.run(call as never), /call\.input must be a Uint16Array/);
    await assert.rejects(prepared.run({ ...call, sampleType: 'f8' } as never), /it is f32, f16 or bf16/);
    prepared.free();
  });
});
