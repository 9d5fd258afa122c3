import type { Gpu, GpuElement, GpuView } from '../engine/gpu';
import { elementBytes } from '../engine/gpu';

export const count = (dims: readonly number[]): number => dims.reduce((a, b) => a * b, 1);

/** Elements from one index to the next in a row-major array without gaps. */
export function contiguousStrides(dims: readonly number[]): number[] {
  const strides = new Array<number>(dims.length).fill(1);
  for (let d = dims.length - 2; d >= 0; d--) strides[d] = strides[d + 1] * dims[d + 1];
  return strides;
}

/** Device memory that several tensors may share; released with the last of them. */
class Storage {
  private users = 0;
  constructor(private readonly gpu: Gpu, readonly address: number) {}
  take(): void {
    this.users++;
  }
  give(): void {
    if (--this.users === 0) this.gpu.release({ address: this.address });
  }
}

/** A row-major array without gaps in device memory. Whoever made it, or took it, releases it. */
export class GpuTensor {
  private constructor(
    private readonly storage: Storage,
    readonly address: number,
    readonly element: GpuElement,
    readonly dims: readonly number[],
  ) {
    storage.take();
  }

  static allocate(gpu: Gpu, element: GpuElement, dims: readonly number[]): GpuTensor {
    const storage = new Storage(gpu, gpu.allocate({ bytes: count(dims) * elementBytes(element) }));
    return new GpuTensor(storage, storage.address, element, dims);
  }

  static async upload(gpu: Gpu, data: Float32Array | Int32Array, dims: readonly number[]): Promise<GpuTensor> {
    const tensor = GpuTensor.allocate(gpu, data instanceof Float32Array ? 'f32' : 'i32', dims);
    await gpu.upload(tensor, data);
    return tensor;
  }

  get count(): number {
    return count(this.dims);
  }

  /** The same memory from element `offset` on under other dimensions. To be released on its own. */
  part(offset: number, dims: readonly number[]): GpuTensor {
    return new GpuTensor(this.storage, this.address + offset * elementBytes(this.element), this.element, dims);
  }

  /** This tensor as an operand of an element-wise operation of these dimensions: broadcast as ONNX does it. */
  view(dims: readonly number[] = this.dims): GpuView {
    const own = contiguousStrides(this.dims), missing = dims.length - this.dims.length;
    const strides = dims.map((_, d) => (d < missing || this.dims[d - missing] === 1 ? 0 : own[d - missing]));
    return { address: this.address, element: this.element, dims: Float64Array.from(dims), strides: Float64Array.from(strides) };
  }

  /** Its dimensions in another order, for an element-wise copy. */
  permuted(order: readonly number[]): GpuView {
    const strides = contiguousStrides(this.dims);
    return {
      address: this.address, element: this.element,
      dims: Float64Array.from(order, (d) => this.dims[d]), strides: Float64Array.from(order, (d) => strides[d]),
    };
  }

  release(): void {
    this.storage.give();
  }
}
