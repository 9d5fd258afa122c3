import type { TensorFile } from '../../formats/tensor-file';
import { ElementType, GraphBuilder, int, ints } from '../../graph/builder';
import type { ModelGraph } from '../../graph/model-graph';
import { addConvolutionBlock, type ConvolutionBlock } from './convolution-block';
import { addLayerNorm, addLinear, addSwap } from './layers';
import { finishGraph } from './model-graph';
import type { Shapes } from './shapes';
import type { TensorNames, WeightAndBias } from './tensor-names';
import { Weights } from './weights';

/** Tensor names of the parts around the layers of a classifier of signals. */
export interface ClassifierFrame {
  /** [H, inputs], [H]. */
  readonly encoder: WeightAndBias;
  /** By layer: [H], [H]. */
  readonly norms: readonly WeightAndBias[];
  /** [classes, H], [classes]. */
  readonly decoder: WeightAndBias;
}

export interface ConvolutionClassifier {
  readonly frame: ClassifierFrame;
  readonly blocks: readonly ConvolutionBlock[];
  readonly width: number;
  readonly inputs: number;
  readonly classes: number;
  /** Whether the LayerNorm comes before its layer, or after the sum. */
  readonly prenorm: boolean;
}

const NORM_EPS = 1e-5;

export const claimFrame = (names: TensorNames, layers: number): ClassifierFrame =>
  ({ encoder: names.pair('encoder'), norms: Array.from({ length: layers }, (_, i) => names.pair(`norms.${i}`)), decoder: names.pair('decoder') });

/** Checks the frame's shapes against a width. Throws UserError that names the first misfit. */
export function frameSizes(shapes: Shapes, { encoder, norms, decoder }: ClassifierFrame, width: number): { inputs: number; classes: number } {
  const inputs = shapes.matrix(encoder.weight, 'd_model, inputs')[1];
  const classes = shapes.matrix(decoder.weight, 'classes, d_model')[0];
  shapes.pair(encoder, [width, inputs], width);
  shapes.pair(decoder, [classes, width], classes);
  norms.forEach((norm) => shapes.pair(norm, [width], width));
  return { inputs, classes };
}

/**
 * The standalone classifiers of S4 and LongConv: input [batch, length, inputs], logits [batch, classes]. Each layer adds to the residual
 * stream; a LayerNorm comes before or after it. Then the mean over time, and a linear layer.
 * Source: state-spaces/s4, example.py, and HazyResearch/safari, standalone_long_convs.py.
 */
export async function buildConvolutionClassifier(name: string, network: ConvolutionClassifier, file: TensorFile): Promise<ModelGraph> {
  const { frame: { encoder, norms, decoder }, blocks, width, inputs, classes, prenorm } = network;
  const b = new GraphBuilder();
  const weights = new Weights(b, file);
  const input = b.input('input', ElementType.FLOAT, ['batch', 'sequence', inputs]);
  let x = addSwap(b, 'encoder', await addLinear(b, weights, 'encoder', input, encoder, [width, inputs]));
  for (const [i, block] of blocks.entries()) {
    const norm = async (y: string): Promise<string> => addSwap(b, block.site, await addLayerNorm(b, weights, `norms.${i}`, addSwap(b, block.site, y), norms[i], width, NORM_EPS));
    const y = b.nodeWithOutputs('Identity', block.site, [await addConvolutionBlock(b, weights, block.site, prenorm ? await norm(x) : x, block)], { outputs: [`layer${i}.out`] })[0];
    const sum = b.node('Add', block.site, [y, x]);
    x = prenorm ? sum : await norm(sum);
  }
  const mean = b.node('ReduceMean', 'pool', [x], { attributes: { axes: ints([2]), keepdims: int(0) } });
  const product = b.node('MatMul', 'decoder', [mean, await weights.loadTransposed(decoder.weight, [classes, width])]);
  const [logits] = b.nodeWithOutputs('Add', 'decoder', [product, await weights.load(decoder.bias, [classes])], { outputs: ['logits'] });
  b.output(logits, ElementType.FLOAT, ['batch', classes]);
  return finishGraph(b, name, { name: input, kind: 'float' }, logits);
}
