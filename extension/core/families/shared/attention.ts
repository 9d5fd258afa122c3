import { ElementType, float, type GraphBuilder, int, ints, tensor } from '../../graph/builder';

/** Rotary position embedding of the first `dimension` channels of each head: channel i turns with channel i + dimension/2. */
export interface Rotary {
  readonly dimension: number;
  readonly base: number;
  /** Positions are divided by this (linear interpolation); 1 for none. */
  readonly positionScale: number;
}

export interface AttentionShape {
  readonly heads: number;
  /** Heads of keys and values; each serves heads / keyHeads queries in a row. */
  readonly keyHeads: number;
  readonly headDimension: number;
  readonly rotary?: Rotary;
}

/** Added to the scores of later positions; the softmax makes 0 of it. */
const MINUS_INFINITY = -3.4e38;

/**
 * Causal softmax attention. q [batch, length, heads * headDimension], k and v [batch, length, keyHeads * headDimension], channels grouped
 * by head; result like q. One head at a time, so that length^2 scores are in memory only once or twice.
 */
export function addCausalAttention(b: GraphBuilder, scope: string, q: string, k: string, v: string, shape: AttentionShape): string {
  const { heads, keyHeads, headDimension, rotary } = shape;
  const length = b.node('Shape', scope, [q], { attributes: { start: int(1), end: int(2) } });
  const turn = rotary && rotaryTables(b, scope, length, rotary);
  const split = (x: string, count: number, turned: boolean): string[] => {
    const byHead = b.node('Reshape', scope, [x, b.integers(scope, [0, 0, count, headDimension])]);
    let rows = b.node('Transpose', scope, [byHead], { attributes: { perm: ints([0, 2, 1, 3]) } });
    if (turned && turn && rotary) rows = addRotation(b, scope, rows, turn, rotary.dimension, headDimension);
    return count === 1 ? [rows] : b.nodeWithOutputs('Split', scope, [rows, b.integers(scope, Array.from({ length: count }, () => 1))], { attributes: { axis: int(1) }, outputs: count });
  };
  const queries = split(q, heads, true);
  const keys = split(k, keyHeads, true).map((key) => b.node('Transpose', scope, [key], { attributes: { perm: ints([0, 1, 3, 2]) } }));
  const values = split(v, keyHeads, false);
  const mask = causalMask(b, scope, length);
  const scale = b.scalar(scope, 1 / Math.sqrt(headDimension));
  const results = queries.map((query, head) => {
    const group = Math.floor((head * keyHeads) / heads);
    const scores = b.node('MatMul', scope, [b.node('Mul', scope, [query, scale]), keys[group]]);
    const weights = b.node('Softmax', scope, [b.node('Add', scope, [scores, mask])], { attributes: { axis: int(-1) } });
    return b.node('MatMul', scope, [weights, values[group]]);
  });
  const all = results.length === 1 ? results[0] : b.node('Concat', scope, results, { attributes: { axis: int(1) } });
  const channelsLast = b.node('Transpose', scope, [all], { attributes: { perm: ints([0, 2, 1, 3]) } });
  return b.node('Reshape', scope, [channelsLast, b.integers(scope, [0, 0, heads * headDimension])]);
}

/** [length, length]: 0 up to the diagonal, beyond it MINUS_INFINITY. */
function causalMask(b: GraphBuilder, scope: string, length: string): string {
  const square = b.node('Concat', scope, [length, length], { attributes: { axis: int(0) } });
  const full = b.node('ConstantOfShape', scope, [square], { attributes: { value: tensor({ dims: [1], dataType: ElementType.FLOAT, floatData: [MINUS_INFINITY] }) } });
  const one = b.node('Constant', scope, [], { attributes: { value_int: int(1) } });
  return b.node('Trilu', scope, [full, one], { attributes: { upper: int(1) } });
}

/** Cosines and sines [length, dimension / 2] of position / positionScale * base^(-2i / dimension), from angles in float64. */
function rotaryTables(b: GraphBuilder, scope: string, length: string, { dimension, base, positionScale }: Rotary): { cos: string; sin: string } {
  const half = dimension / 2;
  const rates = Array.from({ length: half }, (_, i) => base ** ((-2 * i) / dimension) / positionScale);
  const rate = b.node('Constant', scope, [], { attributes: { value: tensor({ dims: [1, half], dataType: ElementType.DOUBLE, doubleData: rates }) } });
  const zero = b.node('Constant', scope, [], { attributes: { value_int: int(0) } });
  const one = b.node('Constant', scope, [], { attributes: { value_int: int(1) } });
  const end = b.node('Squeeze', scope, [length, b.integers(scope, [0])]);
  const positions = b.node('Cast', scope, [b.node('Range', scope, [zero, end, one])], { attributes: { to: int(ElementType.DOUBLE) } });
  const angles = b.node('Mul', scope, [b.node('Unsqueeze', scope, [positions, b.integers(scope, [1])]), rate]);
  const table = (op: string): string => b.node('Cast', scope, [b.node(op, scope, [angles])], { attributes: { to: int(ElementType.FLOAT) } });
  return { cos: table('Cos'), sin: table('Sin') };
}

/** x [batch, heads, length, headDimension] with its first `dimension` channels turned. */
function addRotation(b: GraphBuilder, scope: string, x: string, { cos, sin }: { cos: string; sin: string }, dimension: number, headDimension: number): string {
  const half = dimension / 2;
  const sizes = headDimension > dimension ? [half, half, headDimension - dimension] : [half, half];
  const [first, second, ...rest] = b.nodeWithOutputs('Split', scope, [x, b.integers(scope, sizes)], { attributes: { axis: int(-1) }, outputs: sizes.length });
  const product = (left: string, right: string): string => b.node('Mul', scope, [left, right]);
  const turnedFirst = b.node('Sub', scope, [product(first, cos), product(second, sin)]);
  const turnedSecond = b.node('Add', scope, [product(second, cos), product(first, sin)]);
  return b.node('Concat', scope, [turnedFirst, turnedSecond, ...rest], { attributes: { axis: int(-1) } });
}

/**
 * Root-mean-square normalisation over the last axis: x / sqrt(mean(x^2) + eps) * scale, or with eps outside the root
 * x / (sqrt(mean(x^2)) + eps) * scale.
 */
export function addRmsNorm(b: GraphBuilder, scope: string, x: string, scale: string, epsilon: number, epsilonInRoot: boolean, output?: string): string {
  const mean = b.node('ReduceMean', scope, [b.node('Mul', scope, [x, x])], { attributes: { axes: ints([-1]), keepdims: int(1) } });
  const eps = b.node('Constant', scope, [], { attributes: { value_float: float(epsilon) } });
  const root = epsilonInRoot
    ? b.node('Sqrt', scope, [b.node('Add', scope, [mean, eps])])
    : b.node('Add', scope, [b.node('Sqrt', scope, [mean]), eps]);
  const unit = b.node('Div', scope, [x, root]);
  return b.node('Mul', scope, [unit, scale], output === undefined ? {} : { outputs: [output] });
}
