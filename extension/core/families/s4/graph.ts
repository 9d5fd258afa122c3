import type { TensorFile } from '../../formats/tensor-file';
import { ElementType, GraphBuilder, int, ints } from '../../graph/builder';
import type { ModelGraph } from '../../graph/model-graph';
import { addConvolutionBlock, type ConvolutionBlock } from '../shared/convolution-block';
import { addLayerNorm, addLinear, addSwap } from '../shared/layers';
import { finishGraph } from '../shared/model-graph';
import { Weights } from '../shared/weights';
import { addBlock, addNorm, type BlockSizes, NORM_EPS } from './blocks';
import type { SashimiBlock, SashimiLayout, StackLayout } from './layout';

/** A single layer: input [batch, H, length] (or [batch, length, H] where it is not transposed) and an output like it. */
export async function buildLayerGraph(block: ConvolutionBlock, channelsFirst: boolean, file: TensorFile): Promise<ModelGraph> {
  const b = new GraphBuilder();
  const weights = new Weights(b, file);
  const dimensions = channelsFirst ? ['batch', block.width, 'sequence'] : ['batch', 'sequence', block.width];
  const input = b.input('input', ElementType.FLOAT, dimensions);
  const y = await addConvolutionBlock(b, weights, 'layer', channelsFirst ? input : addSwap(b, 'layer', input), block);
  const [out] = b.nodeWithOutputs(channelsFirst ? 'Identity' : 'Transpose', 'out', [y], { outputs: ['out'], attributes: channelsFirst ? {} : { perm: ints([0, 2, 1]) } });
  b.output(out, ElementType.FLOAT, dimensions);
  return finishGraph(b, 's4', { name: input, kind: 'float', lengthAxis: channelsFirst ? 2 : 1 }, out);
}

export interface SashimiNetwork extends BlockSizes {
  readonly layout: SashimiLayout;
  readonly width: number;
  /** 0 where there is no encoder. */
  readonly vocabularySize: number;
}

/**
 * SaShiMi: a causal U-net over time. Down-poolings, centre blocks, and up-poolings with residual S4 and feed-forward blocks after each; skip
 * connections around each tier; in the variant `unet` also blocks before each down-pooling, with a skip connection around every block. Input `input_ids` [batch, sequence], logits [batch, sequence, vocabulary];
 * a backbone alone takes `input` [batch, sequence, width] and gives `out` like it. Source: state-spaces/s4, models/sashimi/sashimi.py and src/models/sequence/backbones/unet.py.
 */
export async function buildSashimiGraph(network: SashimiNetwork, file: TensorFile): Promise<ModelGraph> {
  const { layout, width, vocabularySize } = network;
  const b = new GraphBuilder();
  const weights = new Weights(b, file);
  const { frame } = layout;
  const input = frame ? b.input('input_ids', ElementType.INT64, ['batch', 'sequence']) : b.input('input', ElementType.FLOAT, ['batch', 'sequence', width]);
  const embedded = frame ? b.node('Gather', 'encoder', [await weights.load(frame.encoder, [vocabularySize, width]), input], { attributes: { axis: int(0) } }) : input;
  let x = addSwap(b, 'encoder', embedded);
  const run = async (block: SashimiBlock): Promise<void> => {
    [x] = b.nodeWithOutputs('Identity', block.scope, [await addBlock(b, weights, x, block, network)], { outputs: [`stage.${block.scope.replace(/^model\./, '')}`] });
  };
  const skips = [x];
  for (const block of layout.down) {
    await run(block);
    skips.push(x);
  }
  for (const block of layout.centre) await run(block);
  x = b.node('Add', 'skip', [x, skips.pop()!]);
  for (const tier of layout.up) {
    if (layout.unet) {
      for (const block of tier) {
        await run(block);
        x = b.node('Add', 'skip', [x, skips.pop()!]);
      }
      continue;
    }
    const [pool, ...blocks] = tier;
    await run(pool);
    x = b.node('Add', 'skip', [x, skips.pop()!]);
    const before = x;
    for (const block of blocks) await run(block);
    x = b.node('Add', 'skip', [x, before]);
  }
  const last = await addLayerNorm(b, weights, 'norm', addSwap(b, 'norm', x), layout.norm, width, NORM_EPS);
  const result = frame ? await addLinear(b, weights, 'decoder', last, frame.decoder, [vocabularySize, width]) : last;
  const [output] = b.nodeWithOutputs('Identity', 'decoder', [result], { outputs: [frame ? 'logits' : 'out'] });
  b.output(output, ElementType.FLOAT, ['batch', 'sequence', frame ? vocabularySize : width]);
  return finishGraph(b, 'sashimi', frame ? { name: input, kind: 'tokens' } : { name: input, kind: 'float', lengthAxis: 1 }, output);
}

export interface StackNetwork extends BlockSizes {
  readonly layout: StackLayout;
  readonly width: number;
  readonly inputs: number;
  readonly classes: number;
}

/**
 * The training code's classifier: input [batch, length, inputs], a linear layer, residual blocks of one width, the mean over time, logits [batch, classes].
 * Source: state-spaces/s4, src/models/sequence/backbones/model.py and src/tasks/decoders.py.
 */
export async function buildStackGraph(network: StackNetwork, file: TensorFile): Promise<ModelGraph> {
  const { layout: { encoder, blocks, norm, decoder }, width, inputs, classes } = network;
  const b = new GraphBuilder();
  const weights = new Weights(b, file);
  const input = b.input('input', ElementType.FLOAT, ['batch', 'sequence', inputs]);
  let x = addSwap(b, 'encoder', await addLinear(b, weights, 'encoder', input, encoder, [width, inputs]));
  for (const [i, block] of blocks.entries()) {
    const y = await addBlock(b, weights, x, block, network, norm !== undefined);
    [x] = b.nodeWithOutputs('Identity', block.scope, [y], { outputs: [`layer${i}.out`] });
  }
  if (norm) x = await addNorm(b, weights, 'norm', x, norm, width);
  const mean = b.node('ReduceMean', 'pool', [x], { attributes: { axes: ints([2]), keepdims: int(0) } });
  const product = b.node('MatMul', 'decoder', [mean, await weights.loadTransposed(decoder.weight, [classes, width])]);
  const [logits] = b.nodeWithOutputs('Add', 'decoder', [product, await weights.load(decoder.bias, [classes])], { outputs: ['logits'] });
  b.output(logits, ElementType.FLOAT, ['batch', classes]);
  return finishGraph(b, 's4', { name: input, kind: 'float' }, logits);
}
