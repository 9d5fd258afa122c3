import type { Activation } from '../engine/gpu';
import { onnx } from '../graph/onnx';
import { scalarConstants } from './constants';

type Real = (x: number) => number;

/** Element-wise ONNX operators of one and of two operands, on float64. */
const UNARY: Readonly<Record<string, Real>> = {
  Tanh: Math.tanh, Sigmoid: (x) => 1 / (1 + Math.exp(-x)), Relu: (x) => Math.max(0, x), Erf: erf, Exp: Math.exp, Neg: (x) => -x,
  Sqrt: Math.sqrt, Abs: Math.abs, Reciprocal: (x) => 1 / x, Softplus: (x) => Math.log1p(Math.exp(x)), Identity: (x) => x,
};
const BINARY: Readonly<Record<string, (a: number, b: number) => number>> = {
  Add: (a, b) => a + b, Sub: (a, b) => a - b, Mul: (a, b) => a * b, Div: (a, b) => a / b, Pow: (a, b) => a ** b,
};

const KNOWN: readonly { readonly name: Exclude<Activation, 'none'>; readonly f: Real }[] = [
  { name: 'gelu-tanh', f: (x) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))) },
  { name: 'gelu', f: (x) => 0.5 * x * (1 + erf(x / Math.SQRT2)) },
  { name: 'silu', f: (x) => x / (1 + Math.exp(-x)) },
  { name: 'relu', f: (x) => Math.max(0, x) },
  { name: 'sigmoid', f: (x) => 1 / (1 + Math.exp(-x)) },
  { name: 'tanh', f: Math.tanh },
];
/** Arguments at which a chain is compared with the known activations; they tell both forms of GELU apart (4.7e-4 at 2.3). */
const PROBES = Array.from({ length: 41 }, (_, i) => (i - 20) * 0.29);
/** Constants in models are float32, some with few digits. */
const TOLERANCE = 3e-6;

/** An operator of ours that stands for a chain of ONNX operators: y = activation(x). */
export const ACTIVATION_OP = 'Activation';

/**
 * Replaces chains of element-wise operators that compute a known activation of one value, in whatever form an exporter wrote it (GELU is
 * nine nodes in ONNX), by one node each. A chain is recognised by what it computes at some arguments, not by its shape.
 * Nodes that became superfluous are left in; the caller drops what no output needs.
 */
export function recogniseActivations(nodes: readonly onnx.INodeProto[], initializers: ReadonlyMap<string, onnx.ITensorProto>): onnx.INodeProto[] {
  const constants = scalarConstants(nodes, initializers);
  const functions = new Map<string, { readonly of: string; readonly f: Real }>();
  return nodes.map((node) => {
    const chain = chainAt(node, constants, functions);
    if (!chain) return node;
    functions.set(node.output![0], chain);
    const known = KNOWN.find(({ f }) => PROBES.every((x) => Math.abs(chain.f(x) - f(x)) <= TOLERANCE * (1 + Math.abs(x))));
    if (!known) return node;
    return {
      opType: ACTIVATION_OP, name: node.name, input: [chain.of], output: node.output,
      attribute: [{ name: 'kind', type: onnx.AttributeProto.AttributeType.STRING, s: Buffer.from(known.name) }],
    };
  });
}

/** The node's result as a function of a single value, if it is one. */
function chainAt(
  node: onnx.INodeProto, constants: ReadonlyMap<string, number>, functions: ReadonlyMap<string, { readonly of: string; readonly f: Real }>,
): { of: string; f: Real } | undefined {
  const inputs = node.input ?? [];
  const operands = inputs.map((name) => {
    const constant = constants.get(name);
    return constant !== undefined ? { f: () => constant } : (functions.get(name) ?? { of: name, f: (x: number) => x });
  });
  const sources = new Set(operands.flatMap((operand) => ('of' in operand ? [operand.of] : [])));
  if (node.domain || sources.size !== 1) return undefined;
  const [of] = sources;
  const unary = UNARY[node.opType!], binary = BINARY[node.opType!];
  if (unary && operands.length === 1) return { of, f: (x) => unary(operands[0].f(x)) };
  if (binary && operands.length === 2) return { of, f: (x) => binary(operands[0].f(x), operands[1].f(x)) };
  return undefined;
}

/** The error function to about 1e-15: its series near 0, the continued fraction of its complement elsewhere. */
function erf(x: number): number {
  const a = Math.abs(x);
  if (a < 2) {
    let term = a, sum = a;
    for (let n = 1; Math.abs(term) > 1e-17 * sum; n++) {
      term *= (-a * a) / n;
      sum += term / (2 * n + 1);
      if (n > 200) break;
    }
    return (Math.sign(x) * 2 * sum) / Math.sqrt(Math.PI);
  }
  let fraction = 0;
  for (let k = 60; k >= 1; k--) fraction = k / 2 / (a + fraction);
  return Math.sign(x) * (1 - Math.exp(-a * a) / (Math.sqrt(Math.PI) * (a + fraction)));
}
