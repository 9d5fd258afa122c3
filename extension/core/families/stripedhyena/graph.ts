import type { TensorFile } from '../../formats/tensor-file';
import { ElementType, GraphBuilder, int } from '../../graph/builder';
import { addLongConv, fftSizeFor } from '../../graph/long-conv-op';
import { filterInputName, type ModelGraph } from '../../graph/model-graph';
import { addCausalAttention, addRmsNorm } from '../shared/attention';
import { addErfGelu, addLinear, addShortConvolution, addSilu, addSwap } from '../shared/layers';
import { finishGraph } from '../shared/model-graph';
import { Weights } from '../shared/weights';
import type { AttentionMixer, HyenaMixer, StripedLayout } from './layout';
import type { Activation, GraphSettings } from './settings';
import type { StripedSizes } from './sizes';

export interface StripedNetwork {
  readonly name: string;
  readonly layout: StripedLayout;
  readonly sizes: StripedSizes;
  readonly settings: GraphSettings;
  readonly maxLength: number;
  /** Weights stay on disk, and are read layer by layer at every run. */
  readonly onDisk: boolean;
}

/**
 * The forward pass as a graph: input `input_ids` [batch, sequence] int64, output `logits` [batch, sequence, vocabularySize]. Blocks
 * x += mixer(norm(x)); x += mlp(norm(x)), whose results are called `hidden.<block>`; then a norm and the head.
 * Source: togethercomputer/stripedhyena (model.py) and Zymrael/vortex.
 */
export async function buildStripedGraph(network: StripedNetwork, file: TensorFile): Promise<ModelGraph> {
  const { layout, sizes: { hidden, inner, vocabularySize }, settings } = network;
  const b = new GraphBuilder();
  const weights = new Weights(b, file, network.onDisk);
  const norm = async (scope: string, x: string, scale: string, output?: string): Promise<string> =>
    addRmsNorm(b, scope, x, await weights.load(scale, [hidden]), settings.eps, settings.epsInRoot, output);
  const ids = b.input('input_ids', ElementType.INT64, ['batch', 'sequence']);
  let x = b.node('Gather', 'embedding', [await weights.load(layout.embedding, [vocabularySize, hidden]), ids], { attributes: { axis: int(0) } });
  for (const [index, { preNorm, postNorm, mlp, mixer }] of layout.blocks.entries()) {
    const scope = `blocks.${index}`;
    const mixed = mixer.kind === 'attention'
      ? await addAttention(b, weights, `${scope}/attention`, await norm(`${scope}/pre_norm`, x, preNorm), mixer, network)
      : await addHyena(b, weights, `${scope}/filter`, await norm(`${scope}/pre_norm`, x, preNorm), mixer, network);
    x = b.node('Add', scope, [x, mixed]);
    const normed = await norm(`${scope}/post_norm`, x, postNorm);
    const gate = addActivation(b, `${scope}/mlp`, await addLinear(b, weights, `${scope}/mlp/l1`, normed, { weight: mlp.l1 }, [inner, hidden]), settings.activation(index));
    const up = await addLinear(b, weights, `${scope}/mlp/l2`, normed, { weight: mlp.l2 }, [inner, hidden]);
    const down = await addLinear(b, weights, `${scope}/mlp/l3`, b.node('Mul', `${scope}/mlp`, [gate, up]), { weight: mlp.l3 }, [hidden, inner]);
    [x] = b.nodeWithOutputs('Add', `${scope}/mlp`, [x, down], { outputs: [`hidden.${index}`] });
  }
  if (layout.finalNorm !== undefined) x = await norm('final_norm', x, layout.finalNorm, 'final_norm');
  const head = await weights.loadTransposed(layout.unembed ?? layout.embedding, [vocabularySize, hidden]);
  const [logits] = b.nodeWithOutputs('MatMul', 'unembed', [x, head], { outputs: ['logits'] });
  b.output(logits, ElementType.FLOAT, ['batch', 'sequence', vocabularySize]);
  const cuts = network.onDisk ? layout.blocks.map((_, index) => `hidden.${index}`) : undefined;
  return finishGraph(b, network.name, { name: ids, kind: 'tokens' }, logits, { stored: weights.stored, cuts });
}

/** x2 * (conv(x1 * v) + D * x1 * v) between linear layers, after a short depthwise convolution. */
async function addHyena(b: GraphBuilder, weights: Weights, scope: string, x: string, mixer: HyenaMixer, network: StripedNetwork): Promise<string> {
  const { sizes: { hidden, shortFilterTaps }, settings, maxLength } = network;
  const projected = addSwap(b, scope, await addLinear(b, weights, `${scope}/projections`, x, mixer.projections, [3 * hidden, hidden]));
  const z = await addShortConvolution(b, weights, `${scope}/short_filter`, projected, mixer.shortFilter, 3 * hidden, shortFilterTaps);
  const [first, second, v] = addParts(b, scope, z, hidden, settings);
  const [x2, x1] = settings.flipped ? [second, first] : [first, second];
  const k = b.input(filterInputName(mixer.site), ElementType.FLOAT, [hidden, 'taps']);
  const skip = mixer.skip === undefined ? undefined : await weights.load(mixer.skip, [hidden]);
  const y = addLongConv(b, { site: mixer.site, mode: 'causal', u: v, k, skip, preGate: x1, postGate: x2 }, fftSizeFor(maxLength));
  return addLinear(b, weights, `${scope}/out_filter_dense`, addSwap(b, scope, y), mixer.out, [hidden, hidden]);
}

/** The three parts [batch, hidden, length] of z [batch, 3 hidden, length]. */
function addParts(b: GraphBuilder, scope: string, z: string, hidden: number, { parts, heads }: GraphSettings): string[] {
  if (parts === 'contiguous') {
    return b.nodeWithOutputs('Split', scope, [z], { attributes: { axis: int(1) }, outputs: 3 });
  }
  const grouped = parts === 'heads' ? [0, heads, 3 * (hidden / heads), -1] : [0, hidden, 3, -1];
  const view = b.node('Reshape', scope, [z, b.integers(scope, grouped)]);
  return b.nodeWithOutputs('Split', scope, [view], { attributes: { axis: int(2) }, outputs: 3 })
    .map((part) => b.node('Reshape', scope, [part, b.integers(scope, [0, hidden, -1])]));
}

async function addAttention(b: GraphBuilder, weights: Weights, scope: string, x: string, mixer: AttentionMixer, network: StripedNetwork): Promise<string> {
  const { sizes: { hidden, qkvRows = 3 * hidden }, settings: { heads, attentionByHead, rotary } } = network;
  const headDimension = hidden / heads;
  const keys = (qkvRows - hidden) / 2;
  const byPart = (row: number): number => (attentionByHead ? rowByHead(row, heads, headDimension) : row);
  const matrix = await weights.loadChanged(mixer.qkv.weight, 'transposed', [hidden, qkvRows], (data) => {
    const transposed = new Float32Array(data.length);
    for (let r = 0; r < qkvRows; r++) for (let c = 0; c < hidden; c++) transposed[c * qkvRows + r] = data[byPart(r) * hidden + c];
    return transposed;
  });
  let all = b.node('MatMul', `${scope}/Wqkv`, [x, matrix]);
  if (mixer.qkv.bias !== undefined) {
    const bias = await weights.loadChanged(mixer.qkv.bias, 'by-part', [qkvRows], (data) => data.map((_, row) => data[byPart(row)]));
    all = b.node('Add', `${scope}/Wqkv`, [all, bias]);
  }
  const [q, k, v] = b.nodeWithOutputs('Split', scope, [all, b.integers(scope, [hidden, keys, keys])], { attributes: { axis: int(-1) }, outputs: 3 });
  const y = addCausalAttention(b, scope, q, k, v, { heads, keyHeads: keys / headDimension, headDimension, rotary: { ...rotary, dimension: headDimension } });
  return addLinear(b, weights, `${scope}/out_proj`, y, mixer.out, [hidden, hidden]);
}

/** Row of a matrix grouped [heads, 3, headDimension] that holds row `row` of one grouped [3, heads, headDimension]. */
function rowByHead(row: number, heads: number, headDimension: number): number {
  const part = Math.floor(row / (heads * headDimension));
  const head = Math.floor(row / headDimension) % heads;
  return (head * 3 + part) * headDimension + (row % headDimension);
}

function addActivation(b: GraphBuilder, scope: string, x: string, activation: Activation): string {
  switch (activation) {
    case 'gelu': return addErfGelu(b, scope, x);
    case 'silu': return addSilu(b, scope, x);
    case 'identity': return x;
  }
}
