import { ElementType, type GraphBuilder, int } from '../../graph/builder';
import { addLongConv, fftSizeFor, type LongConvNode } from '../../graph/long-conv-op';
import { filterInputName } from '../../graph/model-graph';
import { addErfGelu, addSwap } from './layers';
import type { WeightAndBias } from './tensor-names';
import type { Weights } from './weights';

/** A long convolution with its skip term, an activation and a linear layer over channels, as S4, S4D and LongConv layers have it. */
export interface ConvolutionBlock {
  readonly site: string;
  readonly mode: LongConvNode['mode'];
  /** H, channels of the layer's input. */
  readonly width: number;
  /** c, filters for each channel; the convolution has c*H channels, channel h of filter i being i*H + h. */
  readonly filters: number;
  /** [c, H], or [H] where c is 1: y += D u. */
  readonly skip: string;
  readonly activation: Activation;
  /** Linear layer from c*H channels to H, or to 2H where it is gated: out = a * sigmoid(b). */
  readonly output: WeightAndBias & { readonly gated: boolean };
  /** Longest input, in samples at the site. */
  readonly maxLength: number;
}

export type Activation = 'gelu' | 'id';

/** The block on x [batch, H, length]; gives [batch, H, length]. */
export async function addConvolutionBlock(b: GraphBuilder, weights: Weights, scope: string, x: string, block: ConvolutionBlock): Promise<string> {
  const { site, mode, width, filters, skip, output } = block;
  const channels = width * filters;
  const u = filters === 1 ? x : b.node('Concat', scope, new Array<string>(filters).fill(x), { attributes: { axis: int(1) } });
  const k = b.input(filterInputName(site), ElementType.FLOAT, [channels, 'taps']);
  const flat = await weights.loadChanged(skip, 'flat', [channels], (data) => data);
  const y = addLongConv(b, { site, mode, u, k, skip: flat }, fftSizeFor(block.maxLength));
  const active = addSwap(b, scope, block.activation === 'gelu' ? addErfGelu(b, scope, y) : y);
  const rows = output.gated ? 2 * width : width;
  const weight = await weights.loadChanged(output.weight, 'transposed', [channels, rows], (data) => transposed(data, rows, channels));
  const mixed = addSwap(b, scope, b.node('Add', scope, [b.node('MatMul', scope, [active, weight]), await weights.load(output.bias, [rows])]));
  return output.gated ? addGlu(b, scope, mixed) : mixed;
}

/** a * sigmoid(b) of the halves of the channels of x [batch, 2H, length]. */
export function addGlu(b: GraphBuilder, scope: string, x: string): string {
  const [value, gate] = b.nodeWithOutputs('Split', scope, [x], { attributes: { axis: int(1) }, outputs: 2 });
  return b.node('Mul', scope, [value, b.node('Sigmoid', scope, [gate])]);
}

export function transposed(data: Float32Array, rows: number, columns: number): Float32Array {
  const out = new Float32Array(data.length);
  for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) out[c * rows + r] = data[r * columns + c];
  return out;
}
