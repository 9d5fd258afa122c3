import { UserError } from '../errors';
import { powerOfTwoAtLeast } from '../masks/grid';
import { GraphBuilder, OPSET_VERSION, int, intParameter, text } from './builder';
import { LONG_CONV_DOMAIN, LONG_CONV_OP } from './model-graph';
import type { onnx } from './onnx';
import { emitRealSpectrum, emitSpectralConvolution } from './spectral-convolution';

/** Version of the operator set `longconv.surgeon`. */
export const LONG_CONV_OPSET_VERSION = 1;
const INPUTS = ['u', 'k', 'skip', 'preGate', 'postGate'] as const;
const ATTRIBUTES = ['site', 'mode', 'fft_size'] as const;
const MODES = ['causal', 'grid', 'circular', 'bidirectional'] as const;

/** A LongConv node, read. Absent optional inputs are undefined. */
export interface LongConvNode {
  readonly site: string;
  readonly mode: (typeof MODES)[number];
  readonly u: string;
  readonly k: string;
  readonly skip?: string;
  readonly preGate?: string;
  readonly postGate?: string;
  readonly output: string;
}

export const isLongConv = (node: onnx.INodeProto): boolean => node.domain === LONG_CONV_DOMAIN && node.opType === LONG_CONV_OP;

/**
 * FFT size of the function body for inputs of at most `maxLength` samples (and filters of at most as many taps): the smallest power
 * of two at which nothing wraps around. Powers of two, because ONNX Runtime's DFT of other lengths loses digits (8e-4 at 10,007 points).
 */
export const fftSizeFor = (maxLength: number): number => powerOfTwoAtLeast(Math.max(2, 2 * maxLength));

/** Adds a LongConv node; see model-graph.ts for shapes. Returns its output. */
export function addLongConv(b: GraphBuilder, node: Omit<LongConvNode, 'output'>, fftSize: number): string {
  return b.node(LONG_CONV_OP, node.site, [node.u, node.k, node.skip ?? '', node.preGate ?? '', node.postGate ?? ''], {
    domain: LONG_CONV_DOMAIN,
    attributes: { site: text(node.site), mode: text(node.mode), fft_size: int(fftSize) },
  });
}

/** Throws UserError when the node is not as model-graph.ts says. */
export function readLongConv(node: onnx.INodeProto): LongConvNode {
  const attribute = (name: string): string => {
    const value = node.attribute?.find((a) => a.name === name)?.s;
    if (!value?.length) throw new UserError(`The LongConv node "${node.name}" has no attribute "${name}".`);
    return Buffer.from(value).toString('utf8');
  };
  const mode = MODES.find((known) => known === attribute('mode'));
  const [u, k, ...optional] = node.input ?? [];
  const output = node.output?.[0];
  if (!mode || !u || !k || !output) {
    const rule = `it needs inputs u and k, one output, and a mode out of ${MODES.join(', ')}`;
    throw new UserError(`The LongConv node "${node.name}" is malformed: ${rule}.`);
  }
  const [skip, preGate, postGate] = optional.map((name) => name || undefined);
  return { site: attribute('site'), mode, u, k, skip, preGate, postGate, output };
}

/**
 * LongConv in standard operators, so that a runtime that does not know it can run the model. All modes are one circular convolution on
 * `fft_size` points: causal filters are zero-padded to it (at least input length + taps - 1), grid filters are that long, and for mode
 * circular it is the input's length. Bidirectional filters must have been laid out as grid filters.
 *
 * A function body cannot leave out a multiplication when an optional input is absent, so it takes all five inputs: `withNeutralInputs`
 * fills in ones and zeros before a model is given to another runtime.
 */
export function longConvFunction(): onnx.IFunctionProto {
  const b = new GraphBuilder(INPUTS);
  const scope = 'LongConv';
  const [u, k, skip, preGate, postGate] = INPUTS;
  const fftSize = b.node('Constant', scope, [], { attributes: { value_int: intParameter('fft_size') } });
  const one = b.node('Constant', scope, [], { attributes: { value_int: int(1) } });
  const two = b.node('Constant', scope, [], { attributes: { value_int: int(2) } });
  const half = b.node('Div', scope, [b.node('Sub', scope, [fftSize, one]), two]);
  const size = { fftSize, lastMirrored: b.node('Unsqueeze', scope, [half, b.integers(scope, [0])]) };
  const gated = b.node('Mul', scope, [u, preGate]);
  const convolved = emitSpectralConvolution(b, scope, gated, emitRealSpectrum(b, scope, k, 1, size), size);
  const output = emitSkipAndPostGate(b, scope, { gated, convolved, skip, postGate });
  return {
    name: LONG_CONV_OP, domain: LONG_CONV_DOMAIN, input: [...INPUTS], output: [output], attribute: [...ATTRIBUTES],
    node: b.nodes, opsetImport: [{ domain: '', version: OPSET_VERSION }],
    docString: 'Depthwise long convolution of u [B, H, L] with k [H, K]: y = postGate * (conv(preGate * u, k) + skip * preGate * u).',
  };
}

/** postGate * (convolved + skip * gated), leaving out what is absent. */
export function emitSkipAndPostGate(
  b: GraphBuilder, scope: string, values: { gated: string; convolved: string; skip?: string; postGate?: string },
): string {
  let y = values.convolved;
  if (values.skip) {
    const column = b.node('Unsqueeze', scope, [values.skip, b.integers(scope, [-1])]);
    y = b.node('Add', scope, [y, b.node('Mul', scope, [values.gated, column])]);
  }
  return values.postGate ? b.node('Mul', scope, [y, values.postGate]) : y;
}

/** The nodes with every absent gate replaced by 1 and every absent skip by 0, and the constants needed, which come first. */
export function withNeutralInputs(nodes: readonly onnx.INodeProto[], b: GraphBuilder): onnx.INodeProto[] {
  const constants = new Map<number, string>();
  const neutral = (value: number): string => {
    const known = constants.get(value) ?? b.floats(`longconv.surgeon/${value}`, [1], Float32Array.of(value));
    constants.set(value, known);
    return known;
  };
  return nodes.map((node) => {
    if (!isLongConv(node)) return node;
    const { u, k, skip, preGate, postGate } = readLongConv(node);
    return { ...node, input: [u, k, skip ?? neutral(0), preGate ?? neutral(1), postGate ?? neutral(1)] };
  });
}
