import * as assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { UserError } from '../../../extension/core/errors';
import { combRows, cutFilter } from '../../../extension/core/validation/bench/cut-filter';
import { floorMs, type FloorQuestion } from '../../../extension/core/validation/bench/floor';
import { type MeasuredCall, sampledError } from '../../../extension/core/validation/bench/reference';
import { operationName, parseOperations, parseShapes } from '../../../extension/core/validation/bench/request';
import { fromSamples, noise, toSamples } from '../../../extension/core/validation/bench/samples';
import { spectralEngine } from '../plan/support/spectral-engine';

const refused = (text: RegExp) => (error: unknown): boolean => error instanceof UserError && text.test(error.message);

describe('what bench is asked for', () => {
  it('shapes are read in order', () => {
    assert.deepEqual(parseShapes('B1H256L8192, b2h3l4'), [{ batch: 1, channels: 256, length: 8192 }, { batch: 2, channels: 3, length: 4 }]);
  });

  it('operations are read, and written as they were', () => {
    const text = 'dense,partial:16,comb:0.25,comb:3,lowpass:0.5,lowpass:1,block:4.2.8';
    assert.deepEqual(parseOperations(text).map(operationName).join(), text);
    assert.deepEqual(parseOperations('block:4.2.8, partial:16'), [{ kind: 'block', counts: [4, 2, 8] }, { kind: 'partial', taps: 16 }]);
  });

  for (const text of ['', 'B1H2', 'B1H2L0', 'B0H2L4', 'B1H2L4x', 'H2B1L4', 'B1H2L4,,', 'B1H2L-4', 'B1.5H2L4', `B${2 ** 30}H${2 ** 20}L${2 ** 20}`]) {
    it(`the shape "${text}" is refused`, () => assert.throws(() => parseShapes(text), refused(/is no shape/)));
  }
  it('a shape that no array holds is refused', () => assert.throws(() => parseShapes('B1H1L99999999999'), refused(/has 99999999999 samples, more than/)));
  for (const text of ['', 'sparse', 'dense:1', 'partial', 'partial:', 'partial:0', 'partial:1.5', 'partial:-2', 'partial:x', 'partial:1:2', 'comb:0', 'comb:1.5', 'lowpass:0', 'lowpass:1.1', 'lowpass:NaN', 'block:', 'block:4.0', 'block:4..4', 'block:a']) {
    it(`the operation "${text}" is refused`, () => assert.throws(() => parseOperations(text), refused(/is no operation/)));
  }

  it('whatever the text is, it is read or refused in a sentence', () => {
    fc.assert(fc.property(fc.oneof(fc.string(), fc.stringMatching(/^(dense|partial|comb|lowpass|block):?[\d.eE+-]*$/), fc.stringMatching(/^B\d*H\d*L\d*$/)), (text) => {
      for (const parse of [parseShapes, parseOperations]) {
        try {
          assert.ok(parse(text).length > 0);
        } catch (error) {
          assert.ok(error instanceof UserError);
        }
      }
    }));
  });
});

describe('filters as bench cuts them', () => {
  const shape = { batch: 1, channels: 2, length: 32 };
  const N = 64;
  const filter = noise(2 * 32, 1);

  it('rows of a comb: 0, then pairs from frequency 0 outwards, then n1/2', () => {
    for (const n1 of [1, 2, 8, 16]) {
      const order = [0, ...Array.from({ length: Math.max(0, n1 / 2 - 1) }, (_, i) => [i + 1, n1 - i - 1]), n1 / 2].slice(0, n1 === 1 ? 1 : undefined);
      for (let amount = 1; amount <= n1; amount++) {
        const expected: number[] = [];
        for (const rows of order) if (expected.length + [rows].flat().length <= amount) expected.push(...[rows].flat());
        const kept = [...combRows(amount === 1 ? 1 / n1 : amount, n1)].flatMap((flag, row) => (flag ? [row] : []));
        assert.deepEqual(kept, expected.sort((a, b) => a - b), `${amount} of ${n1}`);
      }
    }
    assert.throws(() => combRows(17, 16), refused(/more rows than the 16/));
  });

  it('dense: as they are', async () => {
    assert.deepEqual(await cutFilter(spectralEngine, { kind: 'dense' }, shape, false, filter), { spec: { channels: 2, mode: 'causal', filterLength: 32, maxLength: 32 }, rows: filter, fftSize: N, kept: 1 });
  });

  it('partial: the first taps of each channel', async () => {
    const { rows, kept, spec } = await cutFilter(spectralEngine, { kind: 'partial', taps: 5 }, shape, false, filter);
    assert.deepEqual([...rows], [...filter.subarray(0, 5), ...filter.subarray(32, 37)]);
    assert.deepEqual([kept, spec.filterLength], [5 / 32, 5]);
    await assert.rejects(cutFilter(spectralEngine, { kind: 'partial', taps: 33 }, shape, false, filter), refused(/keeps more taps than a filter of 32/));
  });

  /** Bin f of a row's transform on its own length, by the definition in float64. */
  function bin(row: Float32Array, f: number): [number, number] {
    let [re, im] = [0, 0];
    row.forEach((value, t) => {
      re += value * Math.cos((2 * Math.PI * f * t) / row.length);
      im -= value * Math.sin((2 * Math.PI * f * t) / row.length);
    });
    return [re, im];
  }

  for (const circular of [false, true]) {
    const points = circular ? 32 : N;
    for (const text of ['lowpass:0.25', 'lowpass:0.6', 'lowpass:1', 'comb:0.5', 'comb:3', 'comb:1']) {
      it(`${text}${circular ? ', circular' : ''}: bins are kept or 0, and "kept" is their count`, async () => {
        const [operation] = parseOperations(text);
        const { rows, kept, fftSize, spec } = await cutFilter(spectralEngine, operation, shape, circular, filter);
        assert.deepEqual([fftSize, rows.length, spec.mode], [points, 2 * points, circular ? 'circular' : 'grid']);
        const keptOf = (f: number): boolean => spec.grid?.kept[Math.min(f, points - f)] === 1;
        let count = 0;
        for (let f = 0; f < points; f++) {
          for (const channel of [0, 1]) {
            const whole = new Float32Array(points);
            whole.set(filter.subarray(32 * channel, 32 * (channel + 1)));
            const [got, want] = [bin(rows.subarray(channel * points, (channel + 1) * points), f), bin(whole, f)];
            const size = Math.hypot(...got);
            const isKept = size > 1e-4;
            if (isKept) assert.ok(Math.hypot(got[0] - want[0], got[1] - want[1]) < 1e-5 * (1 + size), `bin ${f} has another value`);
            if (spec.grid) assert.equal(isKept, keptOf(f), `bin ${f}`);
            count += isKept ? 0.5 : 0;
          }
        }
        assert.equal(kept, count / points);
        // As many as fit, a frequency with its mirror.
        if (operation.kind === 'lowpass') assert.ok(kept <= operation.fraction && kept > operation.fraction - 2 / points, `${kept} of ${operation.fraction}`);
      });
    }
  }

  it('what does not fit the grid is refused', async () => {
    await assert.rejects(cutFilter(spectralEngine, { kind: 'block', counts: [1, 1, 1, 1, 1, 1, 1] }, shape, false, filter), refused(/block:1\.1\.1\.1\.1\.1\.1 does not fit inputs of 32 points/));
    await assert.rejects(cutFilter(spectralEngine, { kind: 'comb', amount: 63 }, shape, false, filter), refused(/more rows/));
  });
});

describe('the floor of a convolution', () => {
  const SLOW_MEMORY = { bytesPerSecond: 1000, flopsPerSecond: Infinity };
  const SLOW_PROCESSOR = { bytesPerSecond: Infinity, flopsPerSecond: 1000 };
  const dense: FloorQuestion = { shape: { batch: 3, channels: 2, length: 8 }, operation: { kind: 'dense' }, kept: 1, circular: false, gated: false, sampleBytes: 4 };
  const partial = (taps: number): FloorQuestion => ({ ...dense, operation: { kind: 'partial', taps }, kept: taps / 8 });

  // Worked by hand from the formulas in floor.ts and docs/performance.md.
  for (const [what, question, bytes, flops] of [
    ['dense', dense, 2 * 48 * 4 + 8 * 2 * 8, 6 * (10 * 8 * 3 + 6 * 8)],
    ['gated, 16 bit', { ...dense, gated: true, sampleBytes: 2 }, 4 * 48 * 2 + 8 * 2 * 8, 6 * 288],
    ['circular', { ...dense, circular: true }, 2 * 48 * 4 + 8 * 2 * 4, 6 * (10 * 4 * 2 + 6 * 4)],
    ['half of the bins', { ...dense, operation: { kind: 'lowpass', fraction: 0.5 }, kept: 0.5 }, 2 * 48 * 4 + 8 * 2 * 4, 6 * 144],
    ['one tap, summed', partial(1), 2 * 48 * 4 + 4 * 2, 6 * 2 * 8],
    ['two taps, summed', partial(2), 2 * 48 * 4 + 4 * 2 * 2, 6 * 4 * 8],
    ['eight taps, summed', partial(8), 2 * 48 * 4 + 4 * 2 * 8, 6 * 16 * 8],
    ['64 of 65,536 taps, summed', { ...dense, shape: { batch: 1, channels: 1, length: 65536 }, operation: { kind: 'partial', taps: 64 }, kept: 64 / 65536 }, 2 * 65536 * 4 + 4 * 64, 65536 * (10 * Math.log2(128) + 6)],
  ] as const) {
    it(`${what}: ${bytes} bytes, ${flops} operations`, () => {
      assert.ok(Math.abs(floorMs(SLOW_MEMORY, question) - bytes) < 1e-6 * bytes);
      assert.ok(Math.abs(floorMs(SLOW_PROCESSOR, question) - flops) < 1e-6 * flops);
      const both = { bytesPerSecond: 1000, flopsPerSecond: 1000 };
      assert.equal(floorMs(both, question), Math.max(floorMs(SLOW_MEMORY, question), floorMs(SLOW_PROCESSOR, question)));
    });
  }
});

describe('the error of a measured convolution', () => {
  /** The definition of each mode, input by input: what x[s] adds to every later (or every) output. */
  function outputOf({ spec, rows, shape: { batch, channels, length }, input, preGate, postGate }: Omit<MeasuredCall, 'output'>): Float32Array {
    const sums = new Float64Array(input.length);
    for (let row = 0; row < batch * channels; row++) {
      const k = rows.subarray((row % channels) * spec.filterLength, (row % channels + 1) * spec.filterLength);
      for (let s = 0; s < length; s++) {
        const x = input[row * length + s] * (preGate?.[row * length + s] ?? 1);
        k.forEach((tap, j) => {
          // Lags of a grid wrap around its own length, of which outputs are the first points; those of a ring around the input's.
          const t = spec.mode === 'causal' ? s + j : (s + j) % (spec.mode === 'grid' ? spec.filterLength : length);
          if (t < length) sums[row * length + t] += tap * x;
        });
      }
    }
    return Float32Array.from(sums, (sum, i) => sum * (postGate?.[i] ?? 1));
  }

  const shape = { batch: 2, channels: 3, length: 20 };
  const count = 120;
  const specs = {
    causal: { channels: 3, mode: 'causal', filterLength: 7, maxLength: 20 },
    circular: { channels: 3, mode: 'circular', filterLength: 20, maxLength: 20 },
    grid: { channels: 3, mode: 'grid', filterLength: 64, maxLength: 20, grid: { fftSize: 64, factors: [8, 8], kept: new Uint8Array(33).fill(1) } },
  } as const;
  for (const [mode, spec] of Object.entries(specs)) {
    for (const gated of [false, true]) {
      it(`${mode}${gated ? ', gated' : ''}: 0 but for rounding, the size of a mistake, 1 for zeros`, () => {
        const call = { spec, rows: noise(3 * spec.filterLength, 1), shape, input: noise(count, 2), ...(gated && { preGate: noise(count, 3), postGate: noise(count, 4) }) };
        const output = outputOf(call);
        assert.ok(sampledError({ ...call, output }) < 1e-7, `${sampledError({ ...call, output })}`);
        assert.ok(Math.abs(sampledError({ ...call, output: output.map((value) => 1.01 * value) }) - 0.01) < 1e-6);
        assert.equal(sampledError({ ...call, output: new Float32Array(count) }), 1);
        // The last point, which a kernel that stops early leaves out.
        const early = output.slice();
        early[count - 1] = NaN;
        assert.ok(Number.isNaN(sampledError({ ...call, output: early })));
      });
    }
  }
});

describe('samples of bench', () => {
  it('are the same for the same seed, of mean 0 and variance 1', () => {
    const values = noise(100_000, 7);
    assert.deepEqual(values, noise(100_000, 7));
    assert.notDeepEqual(values.slice(0, 9), noise(9, 8));
    const mean = values.reduce((a, b) => a + b, 0) / values.length;
    const variance = values.reduce((a, b) => a + b * b, 0) / values.length;
    assert.ok(Math.abs(mean) < 0.02 && Math.abs(variance - 1) < 0.02, `${mean}, ${variance}`);
  });

  for (const [type, step] of [['f32', 0], ['f16', 2 ** -11], ['bf16', 2 ** -8]] as const) {
    it(`${type}: within half a step, and exactly once rounded`, () => {
      const values = noise(1000, 9);
      const once = fromSamples(toSamples(values, type), type);
      once.forEach((value, i) => assert.ok(Math.abs(value - values[i]) <= step * Math.abs(values[i]) + (type === 'f16' ? 2 ** -25 : 0)));
      assert.deepEqual(fromSamples(toSamples(once, type), type), once);
    });
  }
});
