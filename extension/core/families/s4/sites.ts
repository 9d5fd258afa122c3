import { UserError } from '../../errors';
import type { TensorFile } from '../../formats/tensor-file';
import type { FilterSource } from '../shared/family-model';
import type { Shapes } from '../shared/shapes';
import type { SiteDraft } from '../shared/sites';
import type { S4Settings } from './config';
import { diagonalSource, minimalSource } from './diagonal';
import { dplrSource } from './dplr';
import { kernelTensors, type KernelNames, type S4Layer } from './layout';

export interface LayerSizes {
  /** H */
  readonly width: number;
  /** c, filters for each channel (of each direction). */
  readonly filters: number;
}

/** Checks a layer's shapes against each other. Throws UserError that names the first misfit. */
export function layerSizes(shapes: Shapes, { skip, output, kernel }: S4Layer, settings: S4Settings): LayerSizes {
  const shape = shapes.of(skip);
  const [filters, width] = shape.length === 1 ? [1, shape[0]] : shape;
  shapes.expect(skip, shape.length === 1 ? [width] : [filters, width]);
  const rows = settings.gated ? 2 * width : width;
  const weight = shapes.of(output.weight);
  shapes.expect(output.weight, weight.length === 3 ? [rows, filters * width, 1] : [rows, filters * width]);
  shapes.expect(output.bias, [rows]);
  if (kernel) checkKernel(shapes, kernel, { width, filters: settings.bidirectional ? 2 * filters : filters });
  return { width, filters };
}

function checkKernel(shapes: Shapes, kernel: KernelNames, { width, filters }: LayerSizes): void {
  const states = shapes.of(kernel.C).at(-2) ?? 0;
  if (kernel.kind === 's4d') {
    shapes.expect(kernel.C, [width, states, 2]);
    shapes.expect(kernel.logDt, [width]);
    for (const name of [kernel.logAReal, kernel.AImag]) shapes.expect(name, [width, states]);
    return;
  }
  const [matrices] = shapes.matrix(kernel.AReal, 'state matrices, states');
  if (width % matrices !== 0) {
    throw new UserError(`${shapes.path} has ${matrices} state matrices in ${kernel.AReal}, which do not divide its ${width} channels.`);
  }
  shapes.expect(kernel.C, [filters, width, states, 2]);
  shapes.expect(kernel.invDt, kernel.release === 3 ? [width] : [width, 1]);
  for (const name of [kernel.AReal, kernel.AImag]) shapes.expect(name, [matrices, states]);
  shapes.expect(kernel.B, [1, matrices, states, 2]);
  if (kernel.P !== undefined) shapes.expect(kernel.P, [shapes.of(kernel.P)[0] ?? 0, matrices, states, 2]);
}

/** The site of a layer, `taps` long. `tuned`: length that its stored C is tuned to, 0 for none. */
export function layerSite(
  file: TensorFile, { site, kernel }: S4Layer, layer: number, { width, filters }: LayerSizes, settings: S4Settings, taps: number, tuned: number, rate?: number,
): SiteDraft {
  const direction = settings.bidirectional ? 'bidirectional' : 'causal';
  const channels = filters * width;
  return {
    id: site, layer, channels, taps: kernel ? taps : 0, direction, rate, storage: 'modal', writeBack: ['baked', 'sidecar'],
    filterTensors: kernel ? kernelTensors(kernel) : [],
    source: kernel && (direction === 'causal' ? sourceOf(file, kernel, settings, tuned) : bothWays(sourceOf(file, kernel, settings, tuned), channels, taps)),
  };
}

function sourceOf(file: TensorFile, kernel: KernelNames, settings: S4Settings, tuned: number): FilterSource {
  switch (kernel.kind) {
    case 's4d': return minimalSource(file, kernel, file.tensors.get(kernel.C)!.shape[1]);
    case 'diag': return diagonalSource(file, kernel, settings);
    case 'dplr': return dplrSource(file, kernel, settings, tuned);
  }
}

/** Rows of 2 taps columns from a source that has the forward filters first and then the backward ones. */
function bothWays(source: FilterSource, channels: number, taps: number): FilterSource {
  return async ({ channels: [first, end], taps: [from, to] }, engine) => {
    const width = to - from;
    const out = new Float32Array((end - first) * width);
    const forward = await source({ channels: [first, end], taps: [0, taps] }, engine);
    const backward = await source({ channels: [channels + first, channels + end], taps: [0, taps] }, engine);
    for (let c = 0; c < end - first; c++) {
      const ring = new Float32Array(2 * taps);
      ring.set(forward.subarray(c * taps, (c + 1) * taps));
      ring.set(backward.slice(c * taps, (c + 1) * taps).reverse(), taps);
      out.set(ring.subarray(from, to), c * width);
    }
    return out;
  };
}

/** Value of an integer scalar. */
export async function readInteger(file: TensorFile, name: string): Promise<number> {
  const info = file.tensors.get(name);
  const bytes = Buffer.from(await file.readBytes(name));
  const value = info?.dtype === 'I64' ? Number(bytes.readBigInt64LE()) : info?.dtype === 'I32' ? bytes.readInt32LE() : NaN;
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new UserError(`${file.path} has ${name} of type ${info?.dtype ?? 'none'} and value ${value} where a whole number is needed.`);
  }
  return value;
}
