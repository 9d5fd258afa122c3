import type { TensorFile } from '../../formats/tensor-file';
import { ElementType, GraphBuilder, int, ints } from '../../graph/builder';
import type { ModelGraph } from '../../graph/model-graph';
import { addConvolutionBlock, transposed, type ConvolutionBlock } from '../shared/convolution-block';
import { addErfGelu, addLayerNorm, addLinear, addSwap } from '../shared/layers';
import { finishGraph } from '../shared/model-graph';
import { Weights } from '../shared/weights';
import type { LinearNames, NormNames, SashimiBlock, SashimiLayout } from './layout';

const NORM_EPS = 1e-5;

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

export interface SashimiNetwork {
  readonly layout: SashimiLayout;
  readonly width: number;
  /** 0 where there is no encoder. */
  readonly vocabularySize: number;
  /** By site. */
  readonly blocks: ReadonlyMap<string, ConvolutionBlock>;
  /** By scope: channels that go into a pooling or feed-forward linear layer, those that come out, and samples pooled. */
  readonly linears: ReadonlyMap<string, { readonly inputs: number; readonly outputs: number; readonly pool: number }>;
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

/** One module on x [batch, channels, length]. */
async function addBlock(b: GraphBuilder, weights: Weights, x: string, block: SashimiBlock, { blocks, linears }: SashimiNetwork): Promise<string> {
  const { scope } = block;
  const sizes = linears.get(scope);
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
    case 's4': {
      const convolution = blocks.get(block.layer.site)!;
      return b.node('Add', scope, [await addConvolutionBlock(b, weights, scope, await addNorm(b, weights, scope, x, block.norm, convolution.width), convolution), x]);
    }
    case 'ff': {
      const { inputs, outputs } = sizes!;
      const hidden = await addChannelLinear(b, weights, `${scope}/ff.0`, await addNorm(b, weights, scope, x, block.norm, inputs), block.input, inputs, outputs);
      return b.node('Add', scope, [await addChannelLinear(b, weights, `${scope}/ff.2`, addErfGelu(b, scope, hidden), block.output, outputs, inputs), x]);
    }
  }
}

/** LayerNorm over channels; or s / std (x - mean + m) with two scalars, the population's std and no epsilon. */
async function addNorm(b: GraphBuilder, weights: Weights, scope: string, x: string, norm: NormNames, width: number): Promise<string> {
  if (norm.kind === 'layer') {
    return addSwap(b, scope, await addLayerNorm(b, weights, `${scope}/norm`, addSwap(b, scope, x), norm.names, width, NORM_EPS));
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
