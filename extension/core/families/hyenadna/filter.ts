import type { Engine, SirenFilterRequest } from '../../engine/engine';
import type { TensorFile } from '../../formats/tensor-file';
import type { TapRange } from '../model';
import type { GeneratorNames } from './layout';

export interface FilterGenerator {
  readonly names: GeneratorNames;
  readonly dModel: number;
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
export async function generateFilter(file: TensorFile, generator: FilterGenerator, range: TapRange, engine: Engine): Promise<Float32Array> {
  const { names, width } = generator;
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
    output: await file.readFloat32(names.output, firstChannel * width, endChannel * width),
    window: generator.modulate ? { deltas: await readDeltas(file, generator, firstChannel, endChannel), shift: generator.shift } : undefined,
  };
  const evaluate = async (first: number, end: number): Promise<Float32Array> =>
    engine.sirenFilter({ z: await readFeatures(file, generator, first, end), t: await readTimes(file, generator, first, end), ...constant });

  const taps = endTap - firstTap;
  if (taps <= POSITIONS_AT_ONCE) {
    return evaluate(firstTap, endTap);
  }
  const channels = endChannel - firstChannel;
  const result = new Float32Array(channels * taps);
  for (let first = firstTap; first < endTap; first += POSITIONS_AT_ONCE) {
    const end = Math.min(first + POSITIONS_AT_ONCE, endTap);
    const piece = await evaluate(first, end);
    for (let channel = 0; channel < channels; channel++) {
      result.set(piece.subarray(channel * (end - first), (channel + 1) * (end - first)), channel * taps + first - firstTap);
    }
  }
  return result;
}

async function readFeatures(file: TensorFile, { names, features, maxLength }: FilterGenerator, first: number, end: number): Promise<Float32Array> {
  return names.z === undefined ? positionalFeatures(features, maxLength, first, end) : file.readFloat32(names.z, first * features, end * features);
}

async function readTimes(file: TensorFile, { names, maxLength }: FilterGenerator, first: number, end: number): Promise<Float32Array> {
  return names.t === undefined ? Float32Array.from({ length: end - first }, (_, i) => time(first + i, maxLength)) : file.readFloat32(names.t, first, end);
}

async function readDeltas(file: TensorFile, { names, dModel }: FilterGenerator, first: number, end: number): Promise<Float32Array> {
  if (names.deltas !== undefined) {
    return file.readFloat32(names.deltas, first, end);
  }
  const slow = Math.log(DECAY_TARGET) / SLOW_DECAY;
  const fast = Math.log(DECAY_TARGET) / FAST_DECAY;
  return Float32Array.from({ length: end - first }, (_, i) => slow + (fast - slow) * (dModel > 1 ? (first + i) / (dModel - 1) : 0));
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
