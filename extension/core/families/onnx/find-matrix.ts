import type { OnnxNode } from '../../formats/onnx/structure';
import { ElementType } from '../../graph/builder';
import { isStandard } from './attributes';
import type { GraphView } from './graph-view';
import type { Finding } from './site';

/** Relative deviation of float32 arithmetic. */
const CLOSE = 1e-4;

/** A product with a stored square matrix that is a convolution or a Fourier transform in disguise; undefined for any other matrix. */
export function matrixFinding(view: GraphView, node: OnnxNode, shortest: number): Finding | undefined {
  if (!isStandard(node, 'MatMul', 'Gemm')) return undefined;
  const name = node.inputs.slice(0, 2).find((input) => view.initializers.has(input) && view.isConstant(input));
  const tensor = name === undefined ? undefined : view.initializers.get(name);
  if (!tensor || tensor.type !== ElementType.FLOAT || tensor.dims.length !== 2) return undefined;
  const [rows, columns] = tensor.dims;
  if (columns < shortest || rows < shortest) return undefined;
  const row = (i: number): Float32Array => new Float32Array(Uint8Array.from(view.file.tensorBytes(tensor, 4 * i * columns, 4 * (i + 1) * columns)).buffer);
  const [first, second, third] = [row(0), row(1), row(2)];
  const kind = rows === columns && isShifted(first, second) && isShifted(second, third) ? 'a convolution as a Toeplitz matrix'
    : isFourier(first, second, third) ? 'a Fourier transform as a matrix' : undefined;
  return kind && { id: node.name || node.outputs[0], operator: node.op, reason: `multiplies by ${name} [${tensor.dims.join(', ')}], ${kind}: only Conv and DFT operators can be masked` };
}

/** Each row is the one before, moved by one. */
function isShifted(above: Float32Array, below: Float32Array): boolean {
  let scale = 0;
  for (let i = 1; i < above.length; i++) {
    if (Math.abs(below[i] - above[i - 1]) > CLOSE * Math.max(1e-30, Math.abs(above[i - 1]))) return false;
    scale = Math.max(scale, Math.abs(above[i - 1]));
  }
  // A matrix of equal entries, or of zeros, is not a convolution that anybody made.
  return scale > 0 && above.some((value) => value !== above[0]);
}

/** cos or +-sin of multiples of one angle: rows 0, 1, 2 are waves of 0, 1 and 2 periods, up to one factor. */
function isFourier(zero: Float32Array, one: Float32Array, two: Float32Array): boolean {
  const n = one.length;
  return [Math.cos, Math.sin].some((wave) => {
    const quarter = wave === Math.cos ? 0 : Math.round(n / 4);
    const factor = one[quarter] / wave((2 * Math.PI * quarter) / n);
    if (!Number.isFinite(factor) || Math.abs(factor) < 1e-20) return false;
    const fits = (row: Float32Array, periods: number): boolean => row.every((value, i) => Math.abs(value / factor - wave((2 * Math.PI * periods * i) / n)) < 1e-3);
    return fits(one, 1) && fits(two, 2) && fits(zero, 0);
  });
}
