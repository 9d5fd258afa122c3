import type { Gpu, GpuElement } from '../engine/gpu';
import { UserError } from '../errors';
import type { GpuConstants } from './constants-on-gpu';
import { converted, copyInto } from './copy';
import type { GpuStep, StepAction } from './program';
import { runDepthwise, runLinear, runProduct } from './products';
import { count, GpuTensor } from './tensor';

export interface ExecutionContext {
  readonly gpu: Gpu;
  readonly constants: GpuConstants;
  /** Element type of the activations that matrix products and convolutions read. */
  readonly operandElement: GpuElement;
}

/** Starts one step after the other and owns the values of one run. */
export class GpuExecution {
  private readonly values = new Map<string, GpuTensor>();

  constructor(private readonly context: ExecutionContext) {}

  /** The value of this name, to be released by the execution. */
  set(name: string, tensor: GpuTensor): void {
    this.values.get(name)?.release();
    this.values.set(name, tensor);
  }

  get(name: string): GpuTensor {
    const tensor = this.values.get(name) ?? this.context.constants.get(name);
    if (!tensor) throw new UserError(`The model cannot run on the GPU: its value "${name}" is not a float tensor.`, 'Use --backend cpu.');
    return tensor;
  }

  /** Hands a value over to the caller, who releases it. */
  take(name: string): GpuTensor {
    const tensor = this.get(name);
    return tensor.part(0, tensor.dims);
  }

  /** The value in the type that products and convolutions read. To be released. */
  operand(name: string): GpuTensor {
    return converted(this.context.gpu, this.get(name), this.context.operandElement);
  }

  /** Every step but convolutions, which the caller runs. */
  run(step: Exclude<GpuStep, { kind: 'convolution' }>): void {
    const { gpu, operandElement } = this.context;
    switch (step.kind) {
      case 'embedding': {
        const table = this.get(step.table), index = this.get(step.index);
        const y = this.result(step.output, 'f32', [...index.dims, table.dims[1]]);
        return gpu.gather({ index: index.address, rows: index.count, table: table.address, tableRows: table.dims[0], width: table.dims[1], y: y.address, yElement: 'f32' });
      }
      case 'norm': {
        const x = this.get(step.x), width = x.dims[x.dims.length - 1];
        const y = this.result(step.output, operandElement, x.dims);
        return gpu.norm({
          x: x.address, y: y.address, xElement: x.element, yElement: y.element, scale: this.get(step.scale).address,
          shift: step.shift === undefined ? undefined : this.get(step.shift).address, epsilon: step.epsilon, rows: x.count / width, width, rootMeanSquare: 0,
        });
      }
      case 'linear': return runLinear(this.context, this, step);
      case 'product': return runProduct(this.context, this, step);
      case 'depthwise': return runDepthwise(this.context, this, step);
      case 'activate': {
        const x = this.get(step.x);
        const y = this.result(step.output, x.element, x.dims);
        return gpu.elementwise({ operation: 'activate', activation: step.activation, a: x.view(), y: y.view() });
      }
      case 'elementwise': return this.elementwise(step);
      case 'transpose': {
        const x = this.get(step.x);
        const order = step.order ?? x.dims.map((_, d) => x.dims.length - 1 - d);
        const y = this.result(step.output, x.element, order.map((d) => x.dims[d]));
        return copyInto(gpu, y, x.permuted(order));
      }
      case 'split': return this.split(step);
      case 'alias': return this.set(step.output, this.take(step.x));
      case 'axes': {
        const x = this.get(step.x);
        return this.set(step.output, x.part(0, step.insert ? withAxes(x.dims, step.axes!) : withoutAxes(x.dims, step.axes)));
      }
    }
  }

  release(names: readonly string[]): void {
    for (const name of names) {
      this.values.get(name)?.release();
      this.values.delete(name);
    }
  }

  releaseAll(): void {
    this.release([...this.values.keys()]);
  }

  /** A new value of this run. */
  result(name: string, element: GpuElement, dims: readonly number[]): GpuTensor {
    const tensor = GpuTensor.allocate(this.context.gpu, element, dims);
    this.set(name, tensor);
    return tensor;
  }

  /** In float32 where an operand that is no constant is, else in the operands' type. */
  private elementwise(step: Extract<StepAction, { kind: 'elementwise' }>): void {
    const names = step.b === undefined ? [step.a] : [step.a, step.b];
    const tensors = names.map((name) => this.get(name));
    const dims = broadcast(tensors.map((tensor) => tensor.dims), step.output);
    const single = tensors.some((tensor, i) => tensor.element === 'f32' && !this.context.constants.get(names[i]));
    const y = this.result(step.output, single ? 'f32' : this.context.operandElement, dims);
    this.context.gpu.elementwise({ operation: step.operation, a: tensors[0].view(dims), b: tensors[1]?.view(dims), y: y.view() });
  }

  private split({ x: name, axis, sizes, outputs }: Extract<StepAction, { kind: 'split' }>): void {
    const x = this.get(name), at = axis < 0 ? axis + x.dims.length : axis;
    const parts = sizes ?? outputs.map(() => x.dims[at] / outputs.length);
    const inner = count(x.dims.slice(at + 1));
    let start = 0;
    outputs.forEach((output, i) => {
      const dims = x.dims.map((size, d) => (d === at ? parts[i] : size));
      const y = this.result(output, x.element, dims);
      const view = x.part(start * inner, x.dims);
      copyInto(this.context.gpu, y, { ...view.permuted(x.dims.map((_, d) => d)), dims: Float64Array.from(dims) });
      view.release();
      start += parts[i];
    });
  }
}

/** ONNX broadcasting. */
function broadcast(shapes: readonly (readonly number[])[], what: string): number[] {
  const rank = Math.max(...shapes.map((dims) => dims.length));
  return Array.from({ length: rank }, (_, d) => {
    const sizes = shapes.map((dims) => dims[d - rank + dims.length] ?? 1).filter((size) => size !== 1);
    if (sizes.some((size) => size !== sizes[0])) throw new UserError(`The operands of "${what}" have shapes ${shapes.map((dims) => `[${dims.join(', ')}]`).join(' and ')}, which do not fit.`);
    return sizes[0] ?? 1;
  });
}

function withAxes(dims: readonly number[], axes: readonly number[]): number[] {
  const rank = dims.length + axes.length;
  const inserted = new Set(axes.map((axis) => (axis < 0 ? axis + rank : axis)));
  const rest = [...dims];
  return Array.from({ length: rank }, (_, d) => (inserted.has(d) ? 1 : rest.shift()!));
}

function withoutAxes(dims: readonly number[], axes?: readonly number[]): number[] {
  const removed = axes ? new Set(axes.map((axis) => (axis < 0 ? axis + dims.length : axis))) : undefined;
  return dims.filter((size, d) => (removed ? !removed.has(d) : size !== 1));
}
