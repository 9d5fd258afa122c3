import { float, type GraphBuilder, int, ints } from '../../graph/builder';
import type { LinearNames, WeightAndBias } from './tensor-names';
import type { Weights } from './weights';

/** Layers that the language models share, as nodes of a graph. Sequences are [batch, length, channels] unless said otherwise. */

/** x W^T (+ bias), with W [out, in] as in the file. */
export async function addLinear(
  b: GraphBuilder, weights: Weights, scope: string, x: string, names: LinearNames, shape: readonly [number, number],
): Promise<string> {
  const product = b.node('MatMul', scope, [x, await weights.loadTransposed(names.weight, shape)]);
  return names.bias === undefined ? product : b.node('Add', scope, [product, await weights.load(names.bias, [shape[0]])]);
}

export async function addLayerNorm(
  b: GraphBuilder, weights: Weights, scope: string, x: string, names: WeightAndBias, width: number, epsilon: number, output?: string,
): Promise<string> {
  const scale = await weights.load(names.weight, [width]);
  const shift = await weights.load(names.bias, [width]);
  return b.node('LayerNormalization', scope, [x, scale, shift], {
    attributes: { axis: int(-1), epsilon: float(epsilon) }, ...(output === undefined ? {} : { outputs: [output] }),
  });
}

/** GELU in its tanh approximation: x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))). */
export function addTanhGelu(b: GraphBuilder, scope: string, x: string): string {
  const cube = b.node('Mul', scope, [b.node('Mul', scope, [x, x]), x]);
  const inside = b.node('Add', scope, [x, b.node('Mul', scope, [cube, b.scalar(scope, 0.044715)])]);
  const tanh = b.node('Tanh', scope, [b.node('Mul', scope, [inside, b.scalar(scope, Math.sqrt(2 / Math.PI))])]);
  const half = b.node('Mul', scope, [x, b.scalar(scope, 0.5)]);
  return b.node('Mul', scope, [half, b.node('Add', scope, [tanh, b.scalar(scope, 1)])]);
}

/** The exact GELU: x/2 (1 + erf(x / sqrt(2))). */
export function addErfGelu(b: GraphBuilder, scope: string, x: string): string {
  const erf = b.node('Erf', scope, [b.node('Mul', scope, [x, b.scalar(scope, Math.SQRT1_2)])]);
  const half = b.node('Mul', scope, [x, b.scalar(scope, 0.5)]);
  return b.node('Mul', scope, [half, b.node('Add', scope, [erf, b.scalar(scope, 1)])]);
}

/** SiLU: x sigmoid(x). */
export function addSilu(b: GraphBuilder, scope: string, x: string): string {
  return b.node('Mul', scope, [x, b.node('Sigmoid', scope, [x])]);
}

/** The two-layer perceptron of GPT-like blocks: fc2(gelu_tanh(fc1 x)). */
export async function addGeluMlp(
  b: GraphBuilder, weights: Weights, scope: string, x: string, names: { readonly fc1: WeightAndBias; readonly fc2: WeightAndBias }, width: number, inner: number,
): Promise<string> {
  const hidden = await addLinear(b, weights, `${scope}/fc1`, x, names.fc1, [inner, width]);
  return addLinear(b, weights, `${scope}/fc2`, addTanhGelu(b, scope, hidden), names.fc2, [width, inner]);
}

/**
 * Depthwise causal cross-correlation of x [batch, channels, length]: y[t] = bias + sum_i w[taps-1-i] x[t-i]; the last tap multiplies the
 * current sample.
 */
export async function addShortConvolution(
  b: GraphBuilder, weights: Weights, scope: string, x: string, names: LinearNames, channels: number, taps: number,
): Promise<string> {
  const inputs = [x, await weights.load(names.weight, [channels, 1, taps])];
  if (names.bias !== undefined) inputs.push(await weights.load(names.bias, [channels]));
  return b.node('Conv', scope, inputs, { attributes: { group: int(channels), kernel_shape: ints([taps]), pads: ints([taps - 1, 0]) } });
}

/** [batch, length, channels] to [batch, channels, length], and back. */
export function addSwap(b: GraphBuilder, scope: string, x: string): string {
  return b.node('Transpose', scope, [x], { attributes: { perm: ints([0, 2, 1]) } });
}
