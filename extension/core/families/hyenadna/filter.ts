import type { Engine, SirenFilterRequest } from '../../engine/engine';
import type { TensorFile } from '../../formats/tensor-file';
import type { TapRange } from '../model';
import { resultArray } from '../shared/family-model';
import type { GeneratorNames } from './layout';

export interface FilterGenerator {
  readonly names: GeneratorNames;
  /** Channels of the filter, d. */
  readonly dModel: number;
  /** Filters that the network makes at once, and which of them is meant: channel c of filter o is output row c * count + o. */
  readonly outputs: { readonly count: number; readonly index: number };
  readonly maxLength: number;
  readonly features: number;
  readonly width: number;
  /** Whether the filter is multiplied by its exponential window. */
  readonly modulate: boolean;
  /** Added to the window. */
  readonly shift: number;
}

/** Positions evaluated at a time, so that memory beside the result stays constant. */
const POSITIONS_AT_ONCE = 1 << 15;
/** Decay of the window: slowest and fastest share of the length after which it has fallen to the target. Source: HyenaDNA. */
const SLOW_DECAY = 1.5, FAST_DECAY = 0.3, DECAY_TARGET = 1e-2;

/**
 * Evaluates a Hyena implicit filter: k[c, j] = (MLP(z_j))_c * (exp(-t_j |deltas_c|) + shift), rows = channels of the range, columns =
 * taps of the range. The grids z and t are those of the file, sampled over maxLength whatever the input's length.
 */
export async function generateFilter(file: TensorFile, generator: FilterGenerator, range: TapRange, engine: Engine, reuse?: Float32Array): Promise<Float32Array> {
  const { names } = generator;
  const [firstChannel, endChannel] = range.channels;
  const [firstTap, endTap] = range.taps;
  const layers: SirenFilterRequest['layers'][number][] = [];
  for (const { weight, bias } of names.hidden) {
    layers.push({ weight: await file.readFloat32(weight), bias: await file.readFloat32(bias) });
  }
  const constant = {
    features: generator.features,
    layers,
    freq: await file.readFloat32(names.freq[0]),
    output: await readOutputRows(file, generator, firstChannel, endChannel),
    window: generator.modulate ? { deltas: await readDeltas(file, generator, firstChannel, endChannel), shift: generator.shift } : undefined,
  };
  const taps = endTap - firstTap;
  const result = resultArray((endChannel - firstChannel) * taps, reuse);
  for (let first = firstTap; first < endTap; first += POSITIONS_AT_ONCE) {
    const end = Math.min(first + POSITIONS_AT_ONCE, endTap);
    const into = { rows: result.subarray(first - firstTap), stride: taps };
    await engine.sirenFilter({ z: await readFeatures(file, generator, first, end), t: await readTimes(file, generator, first, end), ...constant, into });
  }
  return result;
}

async function readFeatures(file: TensorFile, { names, features, maxLength }: FilterGenerator, first: number, end: number): Promise<Float32Array> {
  return names.z === undefined ? positionalFeatures(features, maxLength, first, end) : file.readFloat32(names.z, first * features, end * features);
}

async function readTimes(file: TensorFile, { names, maxLength }: FilterGenerator, first: number, end: number): Promise<Float32Array> {
  return names.t === undefined ? Float32Array.from({ length: end - first }, (_, i) => time(first + i, maxLength)) : file.readFloat32(names.t, first, end);
}

/** Rows [end - first, width] of the output layer that make the wanted filter's channels. */
async function readOutputRows(file: TensorFile, { names, width, outputs: { count, index } }: FilterGenerator, first: number, end: number): Promise<Float32Array> {
  const all = await file.readFloat32(names.output, first * count * width, end * count * width);
  if (count === 1) {
    return all;
  }
  const rows = new Float32Array((end - first) * width);
  for (let c = 0; c < end - first; c++) {
    rows.set(all.subarray((c * count + index) * width, (c * count + index + 1) * width), c * width);
  }
  return rows;
}

async function readDeltas(file: TensorFile, { names, dModel, outputs: { count, index } }: FilterGenerator, first: number, end: number): Promise<Float32Array> {
  if (names.deltas !== undefined) {
    const all = await file.readFloat32(names.deltas, first * count, end * count);
    return all.filter((_, i) => i % count === index);
  }
  const slow = Math.log(DECAY_TARGET) / SLOW_DECAY;
  const fast = Math.log(DECAY_TARGET) / FAST_DECAY;
  const last = dModel * count - 1;
  return Float32Array.from({ length: end - first }, (_, i) => slow + (fast - slow) * (last > 0 ? ((first + i) * count + index) / last : 0));
}

/** Time of a position, from 0 to 1 over the whole grid. */
const time = (position: number, maxLength: number): number => (maxLength > 1 ? position / (maxLength - 1) : 0);

/** Rows [t, cos(f_b w) ..., -sin(f_b w) ...] with w = 2 pi i / maxLength and f_b spaced evenly from 1e-4 to bands - 1. Source: HyenaDNA. */
function positionalFeatures(features: number, maxLength: number, first: number, end: number): Float32Array {
  const bands = (features - 1) / 2;
  const z = new Float32Array((end - first) * features);
  for (let position = first; position < end; position++) {
    const row = (position - first) * features;
    const angle = (2 * Math.PI * position) / maxLength;
    z[row] = time(position, maxLength);
    for (let band = 0; band < bands; band++) {
      const frequency = bands > 1 ? 1e-4 + ((bands - 1 - 1e-4) * band) / (bands - 1) : 1e-4;
      z[row + 1 + band] = Math.cos(frequency * angle);
      z[row + 1 + bands + band] = -Math.sin(frequency * angle);
    }
  }
  return z;
}
