import { ElementType, GraphBuilder, int, ints, tensor } from '../../../../extension/core/graph/builder';
import { onnx } from '../../../../extension/core/graph/onnx';

export const H = 4;
export const T = 64;

/** A decaying pseudo-random filter [channels, taps]. */
export const decaying = (channels: number, taps: number): Float32Array =>
  Float32Array.from({ length: channels * taps }, (_, i) => Math.sin(1 + i * i) * Math.exp(-(i % taps) / 20));

export interface DftOptions {
  readonly opset?: 17 | 20;
  /** Points of the transforms. */
  readonly size?: number;
  readonly forward?: 'half' | 'whole';
  /** What the inverse transform is given: the half spectrum with onesided, a rebuilt or whole one, or (wrongly) the half for a whole. */
  readonly inverse?: 'onesided' | 'rebuilt' | 'whole' | 'broken';
  /** Time axis of u: last of [1, H, T], or first of [1, T, H]. */
  readonly channelsLast?: boolean;
  /** The name of a filter that is already in the graph, shape [1, H, taps] or [1, taps, H]. */
  readonly filter?: string;
}

/** u times a filter in the frequency domain, as exporters write it; the first T samples. */
export function addDftConvolution(b: GraphBuilder, scope: string, u: string, k: string, options: DftOptions = {}): string {
  const { opset = 17, size = 2 * T, forward = 'half', inverse = 'rebuilt', channelsLast = false } = options;
  const axis = channelsLast ? 1 : 2;
  const integers = (list: number[]): string => b.integers(scope, list);
  const points = b.node('Constant', scope, [], { attributes: { value_int: int(size) } });
  const axisInput = b.node('Constant', scope, [], { attributes: { value_int: int(axis) } });
  const dft = (x: string, attributes: Record<string, ReturnType<typeof int>>): string =>
    (opset >= 20 ? b.node('DFT', scope, [x, points, axisInput], { attributes }) : b.node('DFT', scope, [x, points], { attributes: { axis: int(axis), ...attributes } }));
  const spectrum = (x: string): string => dft(b.node('Unsqueeze', scope, [x, integers([-1])]), { onesided: int(forward === 'half' ? 1 : 0) });
  const split = { attributes: { axis: int(-1), ...(opset >= 20 && { num_outputs: int(2) }) }, outputs: 2 };
  const [a, ai] = b.nodeWithOutputs('Split', scope, [spectrum(u)], split);
  const [c, ci] = b.nodeWithOutputs('Split', scope, [spectrum(k)], split);
  const mul = (x: string, y: string): string => b.node('Mul', scope, [x, y]);
  let product = b.node('Concat', scope, [b.node('Sub', scope, [mul(a, c), mul(ai, ci)]), b.node('Add', scope, [mul(a, ci), mul(ai, c)])], { attributes: { axis: int(-1) } });
  if (inverse === 'rebuilt') {
    const mirrored = b.node('Slice', scope, [product, integers([Math.ceil(size / 2) - 1]), integers([0]), integers([axis]), integers([-1])]);
    const sign = b.node('Constant', scope, [], { attributes: { value: tensor({ dims: [2], dataType: ElementType.FLOAT, floatData: [1, -1] }) } });
    product = b.node('Concat', scope, [product, mul(mirrored, sign)], { attributes: { axis: int(axis) } });
  }
  const complex = dft(product, { inverse: int(1), onesided: int(inverse === 'onesided' ? 1 : 0) });
  const cut = b.node('Slice', scope, [complex, integers([0, 0]), integers([T, 1]), integers([axis, 3])]);
  return b.node('Squeeze', scope, [cut, integers([3])]);
}

export interface ModelOptions { readonly opset?: number; readonly functions?: onnx.IFunctionProto[]; readonly domains?: readonly string[]; readonly irVersion?: number }

/** The encoded model of a builder whose graph is complete. */
export function encode(b: GraphBuilder, { opset = 17, functions = [], domains = [], irVersion = 8 }: ModelOptions = {}): Uint8Array {
  return onnx.ModelProto.encode({
    irVersion, producerName: 'test', opsetImport: [{ domain: '', version: opset }, ...domains.map((domain) => ({ domain, version: 1 }))],
    functions, graph: b.graph('test'), metadataProps: [{ key: 'kept', value: 'as it is' }],
  }).finish();
}

export function signalBuilder(channelsLast = false): { b: GraphBuilder; u: string } {
  const b = new GraphBuilder(['y']);
  return { b, u: b.input('u', ElementType.FLOAT, channelsLast ? [1, T, H] : [1, H, T]) };
}

/** Declares a value as the model's output y [1, H, T] (or [1, T, H]). */
export function finish(b: GraphBuilder, value: string, channelsLast = false): void {
  b.nodeWithOutputs('Identity', 'end', [value], { outputs: ['out'] });
  b.output('out', ElementType.FLOAT, channelsLast ? [1, T, H] : [1, H, T]);
}

/** A depthwise causal Conv of u [1, H, T] with k [H, 1, taps]. */
export const addConvolution = (b: GraphBuilder, scope: string, u: string, k: string, taps: number): string =>
  b.node('Conv', scope, [u, k], { attributes: { group: int(H), kernel_shape: ints([taps]), pads: ints([taps - 1, 0]) } });

