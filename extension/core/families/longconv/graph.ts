import type { TensorFile } from '../../formats/tensor-file';
import { ElementType, GraphBuilder, ints } from '../../graph/builder';
import type { ModelGraph } from '../../graph/model-graph';
import { addConvolutionBlock, type ConvolutionBlock } from '../shared/convolution-block';
import { addSwap } from '../shared/layers';
import { finishGraph } from '../shared/model-graph';
import { Weights } from '../shared/weights';

/** A single layer: input [batch, H, length] (or [batch, length, H]) and an output like it. Source: HazyResearch/safari, long_conv.py. */
export async function buildLayerGraph(block: ConvolutionBlock, transposed: boolean, file: TensorFile): Promise<ModelGraph> {
  const b = new GraphBuilder();
  const weights = new Weights(b, file);
  const { width } = block;
  const dimensions = transposed ? ['batch', width, 'sequence'] : ['batch', 'sequence', width];
  const input = b.input('input', ElementType.FLOAT, dimensions);
  const y = await addConvolutionBlock(b, weights, 'layer', transposed ? input : addSwap(b, 'layer', input), block);
  const [out] = b.nodeWithOutputs(transposed ? 'Identity' : 'Transpose', 'out', [y], { outputs: ['out'], attributes: transposed ? {} : { perm: ints([0, 2, 1]) } });
  b.output(out, ElementType.FLOAT, dimensions);
  return finishGraph(b, 'longconv', { name: input, kind: 'float', lengthAxis: transposed ? 2 : 1 }, out);
}
