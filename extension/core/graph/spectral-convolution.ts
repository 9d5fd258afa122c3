import { ElementType, type GraphBuilder, int, tensor } from './builder';

/** The two numbers that a DFT convolution needs, as values of the graph (constants, or computed inside a function body). */
export interface TransformSize {
  /** int64 scalar N. */
  readonly fftSize: string;
  /** int64 [1]: floor((N - 1) / 2), the last bin that has a mirror of its own. */
  readonly lastMirrored: string;
}

/** N as constants of the graph. */
export function constantTransformSize(b: GraphBuilder, scope: string, fftSize: number): TransformSize {
  return {
    fftSize: b.node('Constant', scope, [], { attributes: { value_int: int(fftSize) } }),
    lastMirrored: b.integers(scope, [Math.floor((fftSize - 1) / 2)]),
  };
}

/** Half spectrum [..., N/2 + 1, 2] of real rows [..., n], n <= N, zero-padded to N. `axis` is the rows' dimension. */
export function emitRealSpectrum(b: GraphBuilder, scope: string, rows: string, axis: number, size: TransformSize): string {
  const column = b.node('Unsqueeze', scope, [rows, b.integers(scope, [-1])]);
  return b.node('DFT', scope, [column, size.fftSize], { attributes: { axis: int(axis), onesided: int(1) } });
}

/**
 * Circular convolution of u [B, H, L] with filters given by their half spectrum [H, N/2 + 1, 2], on N points, u zero-padded; the first
 * L outputs, [B, H, L]. It is the linear convolution as long as no wanted lag wraps around, which is for the caller to see to.
 *
 * The inverse transform is a full complex DFT of a rebuilt Hermitian spectrum: an inverse DFT with onesided=1 is refused by
 * ONNX Runtime up to 1.24 and computed wrongly by 1.25 and 1.26.
 */
export function emitSpectralConvolution(b: GraphBuilder, scope: string, u: string, spectrum: string, size: TransformSize): string {
  const product = emitComplexProduct(b, scope, emitRealSpectrum(b, scope, u, 2, size), spectrum);
  const mirrored = b.node('Slice', scope, [
    product, size.lastMirrored, b.integers(scope, [0]), b.integers(scope, [2]), b.integers(scope, [-1]),
  ]);
  const conjugated = b.node('Mul', scope, [mirrored, emitPair(b, scope, 1, -1)]);
  const full = b.node('Concat', scope, [product, conjugated], { attributes: { axis: int(2) } });
  const complex = b.node('DFT', scope, [full, size.fftSize], { attributes: { axis: int(2), inverse: int(1), onesided: int(0) } });
  const length = b.node('Shape', scope, [u], { attributes: { start: int(2), end: int(3) } });
  const starts = b.integers(scope, [0, 0]);
  const ends = b.node('Concat', scope, [length, b.integers(scope, [1])], { attributes: { axis: int(0) } });
  const real = b.node('Slice', scope, [complex, starts, ends, b.integers(scope, [2, 3])]);
  return b.node('Squeeze', scope, [real, b.integers(scope, [3])]);
}

/** Product of complex arrays whose last dimension is (real, imaginary). */
function emitComplexProduct(b: GraphBuilder, scope: string, left: string, right: string): string {
  const halves = { attributes: { axis: int(-1) }, outputs: 2 };
  const [a, ai] = b.nodeWithOutputs('Split', scope, [left], halves);
  const [c, ci] = b.nodeWithOutputs('Split', scope, [right], halves);
  const real = b.node('Sub', scope, [b.node('Mul', scope, [a, c]), b.node('Mul', scope, [ai, ci])]);
  const imaginary = b.node('Add', scope, [b.node('Mul', scope, [a, ci]), b.node('Mul', scope, [ai, c])]);
  return b.node('Concat', scope, [real, imaginary], { attributes: { axis: int(-1) } });
}

function emitPair(b: GraphBuilder, scope: string, first: number, second: number): string {
  const value = { dims: [2], dataType: ElementType.FLOAT, floatData: [first, second] };
  return b.node('Constant', scope, [], { attributes: { value: tensor(value) } });
}
