import type { Engine, PreparedConvolution } from '../../engine/engine';
import type { BenchOperation, BenchShape } from './request';
import { noise } from './samples';

/** What the machine did in this run, with the threads of the run. */
export interface MachineRates {
  /** Bytes read and written per second by a copy of the shape's own size, so by the cache or the memory that holds it. */
  readonly bytesPerSecond: number;
  /** Floating-point operations per second of the direct convolution kernel on rows that stay in the nearest caches. */
  readonly flopsPerSecond: number;
}

const RATE_TAPS = 64;
const RATE_LENGTH = 8192;
const RATE_ROWS_PER_THREAD = 32;
const RUNS = 9;

/** Measures both rates. The copy is a convolution with one tap: it reads and writes each float32 sample once. */
export async function measureRates(engine: Engine, shape: BenchShape, threads: number): Promise<MachineRates> {
  const { batch, channels, length } = shape;
  const copyMs = await leastMs(engine, { batch, channels, length }, 1, threads);
  const channelsOfRate = RATE_ROWS_PER_THREAD * threads;
  const directMs = await leastMs(engine, { batch: 1, channels: channelsOfRate, length: RATE_LENGTH }, RATE_TAPS, threads);
  return {
    bytesPerSecond: (8 * batch * channels * length) / (copyMs / 1000),
    flopsPerSecond: (2 * RATE_TAPS * channelsOfRate * RATE_LENGTH) / (directMs / 1000),
  };
}

async function leastMs(engine: Engine, { batch, channels, length }: BenchShape, taps: number, threads: number): Promise<number> {
  const prepared: PreparedConvolution = await engine.prepare({ channels, mode: 'causal', filterLength: taps, maxLength: length }, noise(channels * taps, 5));
  const input = noise(batch * channels * length, 6);
  const output = new Float32Array(input.length);
  let least = Infinity;
  for (let i = 0; i < RUNS; i++) {
    const begin = performance.now();
    await prepared.run({ input, output, batch, length, threads });
    least = Math.min(least, performance.now() - begin);
  }
  prepared.free();
  return least;
}

export interface FloorQuestion {
  readonly shape: BenchShape;
  readonly operation: BenchOperation;
  readonly kept: number;
  readonly circular: boolean;
  readonly gated: boolean;
  readonly sampleBytes: number;
}

/**
 * floor_ms = 1000 * max(bytes / bytesPerSecond, flops / flopsPerSecond), with
 *
 *   bytes  signals once: (2, gated 4) * B H L * sample bytes; filter once: 4 H K for K taps, 8 H n kept for a spectrum
 *   flops  per row, n complex points: kept * (2 * 5 n log2 n + 6 n), forward and inverse transform and the product, where n = L for
 *          causal rows (no padding) and L/2 for circular ones (two rows in one transform);
 *          K taps: min(2 K L, 10 L log2(2 K) + 6 L), the direct sum or blocks of 2 K points
 */
export function floorMs(rates: MachineRates, question: FloorQuestion): number {
  const { shape: { batch, channels, length }, operation, kept, circular, gated, sampleBytes } = question;
  const points = circular ? length / 2 : length;
  const signals = (gated ? 4 : 2) * batch * channels * length * sampleBytes;
  let flops = kept * (10 * points * Math.log2(Math.max(2, points)) + 6 * points);
  let filter = 8 * channels * points * kept;
  if (operation.kind === 'partial') {
    flops = Math.min(flops / kept, 2 * operation.taps * length, 10 * length * Math.log2(2 * operation.taps) + 6 * length);
    filter = 4 * channels * operation.taps;
  }
  return 1000 * Math.max((signals + filter) / rates.bytesPerSecond, (batch * channels * flops) / rates.flopsPerSecond);
}
