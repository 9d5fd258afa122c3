import { UserError } from '../errors';
import { converted } from './copy';
import type { ExecutionContext, GpuExecution } from './execution';
import type { DepthwiseStep, LinearStep } from './program';
import { count, GpuTensor } from './tensor';

/** A matrix product with a constant weight, in whichever layouts its input has and its output shall have; no transposed copies are made. */
export function runLinear({ gpu, operandElement }: ExecutionContext, execution: GpuExecution, step: LinearStep): void {
  const x = execution.operand(step.x), weight = execution.get(step.weight);
  try {
    const rank = x.dims.length;
    const [inner, outer] = step.weightTransposed ? [weight.dims[1], weight.dims[0]] : weight.dims;
    const rows = x.dims[step.transposedInput ? rank - 1 : rank - 2], given = x.dims[step.transposedInput ? rank - 2 : rank - 1];
    if (rank < 2 || given !== inner) throw new UserError(`The matrix product of "${step.output}" has ${given} columns on the left and ${inner} rows on the right.`);
    const leading = x.dims.slice(0, -2), dims = [...leading, ...(step.transposedOutput ? [outer, rows] : [rows, outer])];
    const given32 = step.residual === undefined ? undefined : execution.get(step.residual);
    // The kernel adds float32 values of the output's own shape; anything else is converted or broadcast first.
    const residual = given32 && sameDims(given32.dims, dims) ? converted(gpu, given32, 'f32') : undefined;
    const y = execution.result(step.output, residual ? 'f32' : operandElement, dims);
    const batch = count(leading), flat = !step.transposedInput && !step.transposedOutput;
    const common = {
      inner, operandElement, outputElement: y.element, d: y.address, dStride: outer * rows,
      bias: step.bias === undefined ? undefined : execution.get(step.bias).address, activation: step.activation, residual: residual?.address,
    };
    if (step.transposedOutput) {
      // y^T = weight^T x^T: the weight is the left operand.
      gpu.gemm({
        ...common, batch, rows: outer, columns: rows, a: weight.address, b: x.address, transposedA: step.weightTransposed ? 0 : 1, transposedB: step.transposedInput ? 0 : 1,
        aStride: 0, bStride: inner * rows, biasAlongRows: 1,
      });
    } else {
      gpu.gemm({
        ...common, batch: flat ? 1 : batch, rows: flat ? batch * rows : rows, columns: outer, a: x.address, b: weight.address,
        transposedA: step.transposedInput ? 1 : 0, transposedB: step.weightTransposed ? 1 : 0, aStride: inner * rows, bStride: 0, biasAlongRows: 0,
      });
    }
    residual?.release();
    if (given32 && !residual) addInPlace(gpu, execution, step.output, given32);
  } finally {
    x.release();
  }
}

/** The product of two values of the run, over all leading dimensions or with one of them repeated. */
export function runProduct({ gpu, operandElement }: ExecutionContext, execution: GpuExecution, step: { a: string; b: string; output: string }): void {
  const a = execution.operand(step.a), b = execution.operand(step.b);
  try {
    const [rows, inner] = a.dims.slice(-2), [given, columns] = b.dims.slice(-2);
    const leadA = a.dims.slice(0, -2), leadB = b.dims.slice(0, -2);
    const lead = leadA.length >= leadB.length ? leadA : leadB;
    const repeats = (own: readonly number[]): boolean => count(own) === 1;
    if (a.dims.length < 2 || b.dims.length < 2 || inner !== given || !(repeats(leadA) || repeats(leadB) || sameDims(leadA, leadB))) {
      throw new UserError(`The GPU kernels do not multiply shapes [${a.dims.join(', ')}] and [${b.dims.join(', ')}] (${step.output}).`, 'Use --backend cpu.');
    }
    const y = execution.result(step.output, operandElement, [...lead, rows, columns]);
    gpu.gemm({
      batch: count(lead), rows, columns, inner, operandElement, outputElement: operandElement, transposedA: 0, transposedB: 0, a: a.address, b: b.address, d: y.address,
      aStride: repeats(leadA) ? 0 : rows * inner, bStride: repeats(leadB) ? 0 : inner * columns, dStride: rows * columns,
    });
  } finally {
    a.release();
    b.release();
  }
}

export function runDepthwise({ gpu }: ExecutionContext, execution: GpuExecution, step: DepthwiseStep): void {
  const x = execution.operand(step.x), weight = execution.get(step.weight);
  try {
    const [batch, channels, length] = step.transposedInput ? [x.dims[0], x.dims[2], x.dims[1]] : x.dims, taps = weight.dims[2];
    if (x.dims.length !== 3 || channels !== weight.dims[0]) throw new UserError(`The input of the convolution "${step.outputs[0]}" has shape [${x.dims.join(', ')}], but its weight has ${weight.dims[0]} channels.`);
    const groups = step.outputs.length, outputLength = length + step.padLeft + step.padRight - taps + 1;
    const all = GpuTensor.allocate(gpu, x.element, [groups, batch, channels / groups, outputLength]);
    gpu.depthwise({
      x: x.address, transposedX: step.transposedInput ? 1 : 0, y: all.address, element: x.element, weight: weight.address, bias: step.bias === undefined ? undefined : execution.get(step.bias).address,
      batch, channels, length, outputLength, taps, padLeft: step.padLeft, groups,
    });
    const each = (batch * channels * outputLength) / groups;
    step.outputs.forEach((name, i) => execution.set(name, all.part(i * each, [batch, channels / groups, outputLength])));
    all.release();
  } finally {
    x.release();
  }
}

/** value += other, other broadcast: for sums that the product's kernel cannot take in. */
function addInPlace(gpu: ExecutionContext['gpu'], execution: GpuExecution, name: string, other: GpuTensor): void {
  const product = execution.take(name);
  const dims = product.dims.length >= other.dims.length ? product.dims : other.dims;
  const y = execution.result(name, 'f32', dims);
  gpu.elementwise({ operation: 'add', a: product.view(dims), b: other.view(dims), y: y.view() });
  product.release();
}

const sameDims = (a: readonly number[], b: readonly number[]): boolean => a.length === b.length && a.every((size, d) => size === b[d]);
