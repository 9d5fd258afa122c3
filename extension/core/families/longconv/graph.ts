import type { TensorFile } from '../../formats/tensor-file';
import { ElementType, GraphBuilder, int, ints } from '../../graph/builder';
import type { ModelGraph } from '../../graph/model-graph';
import { addConvolutionBlock, type ConvolutionBlock } from '../shared/convolution-block';
import { addLayerNorm, addLinear, addSwap } from '../shared/layers';
import { finishGraph } from '../shared/model-graph';
import { Weights } from '../shared/weights';
import type { LongConvLayout } from './layout';

/** Everything of a LongConv network but its long filters. */
export interface LongConvNetwork {
  readonly layout: LongConvLayout;
  readonly blocks: readonly ConvolutionBlock[];
  readonly width: number;
  readonly inputs: number;
  readonly classes: number;
  readonly prenorm: boolean;
  /** Of a single layer: whether it takes [B, H, L] or [B, L, H]. */
  readonly transposed: boolean;
}

const NORM_EPS = 1e-5;

/** A single layer: input [batch, H, length] (or [batch, length, H]) and an output like it. Source: HazyResearch/safari, long_conv.py. */
export async function buildLayerGraph({ blocks: [block], width, transposed }: LongConvNetwork, file: TensorFile): Promise<ModelGraph> {
  const b = new GraphBuilder();
  const weights = new Weights(b, file);
  const dimensions = transposed ? ['batch', width, 'sequence'] : ['batch', 'sequence', width];
  const input = b.input('input', ElementType.FLOAT, dimensions);
  const y = await addConvolutionBlock(b, weights, 'layer', transposed ? input : addSwap(b, 'layer', input), block);
  const [out] = b.nodeWithOutputs(transposed ? 'Identity' : 'Transpose', 'out', [y], { outputs: ['out'], attributes: transposed ? {} : { perm: ints([0, 2, 1]) } });
  b.output(out, ElementType.FLOAT, dimensions);
  return finishGraph(b, 'longconv', { name: input, kind: 'float', lengthAxis: transposed ? 2 : 1 }, out);
}

/**
 * The standalone classifier: input [batch, length, inputs], logits [batch, classes]. Each layer adds to the residual stream; a LayerNorm comes
 * before or after it. Then the mean over time, and a linear layer. Source: HazyResearch/safari, standalone_long_convs.py.
 */
export async function buildClassifierGraph(network: LongConvNetwork, file: TensorFile): Promise<ModelGraph> {
  const { layout, blocks, width, inputs, classes, prenorm } = network;
  const { encoder, norms, decoder } = layout.frame!;
  const b = new GraphBuilder();
  const weights = new Weights(b, file);
  const input = b.input('input', ElementType.FLOAT, ['batch', 'sequence', inputs]);
  let x = addSwap(b, 'encoder', await addLinear(b, weights, 'encoder', input, encoder, [width, inputs]));
  for (const [i, block] of blocks.entries()) {
    const scope = `conv_layers.${i}`;
    const norm = async (y: string): Promise<string> => addSwap(b, scope, await addLayerNorm(b, weights, `norms.${i}`, addSwap(b, scope, y), norms[i], width, NORM_EPS));
    const y = b.nodeWithOutputs('Identity', scope, [await addConvolutionBlock(b, weights, scope, prenorm ? await norm(x) : x, block)], { outputs: [`layer${i}.out`] })[0];
    const sum = b.node('Add', scope, [y, x]);
    x = prenorm ? sum : await norm(sum);
  }
  const mean = b.node('ReduceMean', 'pool', [x], { attributes: { axes: ints([2]), keepdims: int(0) } });
  const product = b.node('MatMul', 'decoder', [mean, await weights.loadTransposed(decoder.weight, [classes, width])]);
  const [logits] = b.nodeWithOutputs('Add', 'decoder', [product, await weights.load(decoder.bias, [classes])], { outputs: ['logits'] });
  b.output(logits, ElementType.FLOAT, ['batch', classes]);
  return finishGraph(b, 'longconv', { name: input, kind: 'float' }, logits);
}
