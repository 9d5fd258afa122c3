import { type GraphBuilder, int, ints } from '../../graph/builder';
import { addConvolutionBlock, type ConvolutionBlock, transposed } from '../shared/convolution-block';
import { addErfGelu, addLayerNorm, addSwap } from '../shared/layers';
import type { Weights } from '../shared/weights';
import type { LinearNames, NormNames, SashimiBlock } from './layout';

export const NORM_EPS = 1e-5;

/** What the blocks of a network need beside their names. */
export interface BlockSizes {
  /** By site. */
  readonly blocks: ReadonlyMap<string, ConvolutionBlock>;
  /** By scope: channels that go into a pooling or feed-forward linear layer, those that come out, and samples pooled. */
  readonly linears: ReadonlyMap<string, { readonly inputs: number; readonly outputs: number; readonly pool: number }>;
}

/** One module on x [batch, channels, length]; residual blocks with their norm before what they add, or behind the sum. */
export async function addBlock(b: GraphBuilder, weights: Weights, x: string, block: SashimiBlock, sizesOf: BlockSizes, prenorm = true): Promise<string> {
  const { scope } = block;
  const sizes = sizesOf.linears.get(scope);
  switch (block.kind) {
    case 'down': {
      const { inputs, outputs, pool } = sizes!;
      // h x (l s) -> (h s) x l
      const split = b.node('Reshape', scope, [x, b.integers(scope, [0, inputs / pool, -1, pool])]);
      const folded = b.node('Reshape', scope, [b.node('Transpose', scope, [split], { attributes: { perm: ints([0, 1, 3, 2]) } }), b.integers(scope, [0, inputs, -1])]);
      return addChannelLinear(b, weights, scope, folded, block.linear, inputs, outputs);
    }
    case 'up': {
      const { inputs, outputs, pool } = sizes!;
      const mixed = await addChannelLinear(b, weights, scope, x, block.linear, inputs, outputs);
      // One pooled sample later, so that no sample sees its own future: a zero first, the last one dropped.
      const shortened = b.node('Slice', scope, [mixed, b.integers(scope, [0]), b.integers(scope, [-1]), b.integers(scope, [2])]);
      const late = b.node('Pad', scope, [shortened, b.integers(scope, [0, 0, 1, 0, 0, 0])]);
      // (h s) x l -> h x (l s)
      const split = b.node('Reshape', scope, [late, b.integers(scope, [0, outputs / pool, pool, -1])]);
      return b.node('Reshape', scope, [b.node('Transpose', scope, [split], { attributes: { perm: ints([0, 1, 3, 2]) } }), b.integers(scope, [0, outputs / pool, -1])]);
    }
    default: {
      const width = block.kind === 's4' ? sizesOf.blocks.get(block.layer.site)!.width : sizes!.inputs;
      const y = await addMixing(b, weights, prenorm ? await addNorm(b, weights, scope, x, block.norm, width) : x, block, sizesOf);
      const sum = b.node('Add', scope, [y, x]);
      return prenorm ? sum : addNorm(b, weights, scope, sum, block.norm, width);
    }
  }
}

/** What a residual block adds: a long convolution with its output layer, or two linear layers with GELU between. */
async function addMixing(
  b: GraphBuilder, weights: Weights, x: string, block: Extract<SashimiBlock, { kind: 's4' | 'ff' }>, { blocks, linears }: BlockSizes,
): Promise<string> {
  const { scope } = block;
  if (block.kind === 's4') return addConvolutionBlock(b, weights, scope, x, blocks.get(block.layer.site)!);
  const { inputs, outputs } = linears.get(scope)!;
  const hidden = await addChannelLinear(b, weights, `${scope}/ff.0`, x, block.input, inputs, outputs);
  return addChannelLinear(b, weights, `${scope}/ff.2`, addErfGelu(b, scope, hidden), block.output, outputs, inputs);
}

/** LayerNorm over channels; s / std (x - mean + m) with two scalars, the population's std and no epsilon; or BatchNorm with its stored statistics. */
export async function addNorm(b: GraphBuilder, weights: Weights, scope: string, x: string, norm: NormNames, width: number): Promise<string> {
  if (norm.kind === 'layer') {
    return addSwap(b, scope, await addLayerNorm(b, weights, `${scope}/norm`, addSwap(b, scope, x), norm.names, width, NORM_EPS));
  }
  if (norm.kind === 'batch') {
    const ofChannel = (name: string): Promise<string> => weights.loadChanged(name, 'column', [width, 1], (data) => data);
    const deviation = b.node('Sqrt', scope, [b.node('Add', scope, [await ofChannel(norm.variance), b.scalar(scope, NORM_EPS)])]);
    const scaled = b.node('Mul', scope, [b.node('Div', scope, [b.node('Sub', scope, [x, await ofChannel(norm.mean)]), deviation]), await ofChannel(norm.names.weight)]);
    return b.node('Add', scope, [scaled, await ofChannel(norm.names.bias)]);
  }
  const over = { attributes: { axes: ints([1]), keepdims: int(1) } };
  const mean = b.node('ReduceMean', scope, [x], over);
  const centred = b.node('Sub', scope, [x, mean]);
  const variance = b.node('ReduceMean', scope, [b.node('Mul', scope, [centred, centred])], over);
  const shifted = b.node('Add', scope, [centred, await weights.load(norm.m, [1])]);
  return b.node('Mul', scope, [b.node('Div', scope, [shifted, b.node('Sqrt', scope, [variance])]), await weights.load(norm.s, [1])]);
}

/** A linear layer over the channels of x [batch, channels, length], whose weight may be stored as length * direction / ||direction||. */
async function addChannelLinear(b: GraphBuilder, weights: Weights, scope: string, x: string, names: LinearNames, inputs: number, outputs: number): Promise<string> {
  const { direction, length } = names;
  const scale = length === undefined ? undefined : await weights.values(length);
  const weight = await weights.loadChanged(direction ?? names.weight!, 'transposed', [inputs, outputs], (data) =>
    transposed(scale ? normalised(data, scale, inputs) : data, outputs, inputs));
  const product = b.node('MatMul', scope, [addSwap(b, scope, x), weight]);
  return addSwap(b, scope, b.node('Add', scope, [product, await weights.load(names.bias, [outputs])]));
}

function normalised(direction: Float32Array, lengths: Float32Array, columns: number): Float32Array {
  const out = new Float32Array(direction.length);
  lengths.forEach((length, row) => {
    const values = direction.subarray(row * columns, (row + 1) * columns);
    const norm = Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
    values.forEach((value, i) => { out[row * columns + i] = (length * value) / norm; });
  });
  return out;
}
