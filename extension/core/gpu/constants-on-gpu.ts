import type { Gpu, GpuElement } from '../engine/gpu';
import { ElementType } from '../graph/builder';
import type { onnx } from '../graph/onnx';
import { constantTensor } from '../graph/tensor-data';
import { copyInto } from './copy';
import { GpuTensor } from './tensor';

/** A model's constants in device memory, brought there once in each element type that is asked for. */
export class GpuConstants {
  private readonly loaded = new Map<string, GpuTensor>();

  private constructor() {}

  /** All float constants in float32, and those named in `operands` in `operandElement` only. */
  static async load(gpu: Gpu, constants: ReadonlyMap<string, onnx.ITensorProto>, operands: ReadonlySet<string>, operandElement: GpuElement): Promise<GpuConstants> {
    const result = new GpuConstants();
    try {
      for (const [name, value] of constants) {
        if (value.dataType !== ElementType.FLOAT) continue;
        const { data, dims } = constantTensor(value);
        const single = await GpuTensor.upload(gpu, data as Float32Array, dims);
        result.loaded.set(name, single);
        if (!operands.has(name)) continue;
        const rounded = GpuTensor.allocate(gpu, operandElement, single.dims);
        result.loaded.set(name, rounded);
        copyInto(gpu, rounded, single.view());
        single.release();
      }
    } catch (error) {
      result.release();
      throw error;
    }
    return result;
  }

  get(name: string): GpuTensor | undefined {
    return this.loaded.get(name);
  }

  release(): void {
    for (const tensor of this.loaded.values()) tensor.release();
    this.loaded.clear();
  }
}
