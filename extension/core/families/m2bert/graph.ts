import type { TensorFile } from '../../formats/tensor-file';
import { ElementType, GraphBuilder, int } from '../../graph/builder';
import { addLongConv, fftSizeFor } from '../../graph/long-conv-op';
import { filterInputName, type ModelGraph } from '../../graph/model-graph';
import { addErfGelu, addLayerNorm, addLinear, addShortConvolution, addSwap } from '../shared/layers';
import { transposed } from '../shared/convolution-block';
import { finishGraph } from '../shared/model-graph';
import { Weights } from '../shared/weights';
import type { M2Convolution, M2Layer, M2Layout } from './layout';
import type { M2Sizes } from './sizes';

/** LayerNorm before the mixer: the one place where the original code keeps PyTorch's default. */
const FIRST_NORM_EPS = 1e-5;
export const TOKEN_TYPES = 'token_type_ids';

export interface M2Network {
  readonly layout: M2Layout;
  readonly sizes: M2Sizes;
  readonly normEps: number;
  readonly maxLength: number;
  readonly directions: ReadonlyMap<string, 'causal' | 'bidirectional'>;
}

/**
 * M2-BERT: inputs `input_ids` and `token_type_ids` [batch, sequence], output `logits` [batch, sequence, vocabulary], or the last hidden states
 * where there is no head. Each layer: mixer without a residual, then a gated MLP with one. Source: HazyResearch/m2, bert_layers.py.
 */
export async function buildM2Graph(network: M2Network, file: TensorFile): Promise<ModelGraph> {
  const { layout, sizes: { width, vocabularySize, positions }, normEps } = network;
  const b = new GraphBuilder();
  const weights = new Weights(b, file);
  const ids = b.input('input_ids', ElementType.INT64, ['batch', 'sequence']);
  const types = b.input(TOKEN_TYPES, ElementType.INT64, ['batch', 'sequence']);
  const gather = async (name: string, rows: number, of: string): Promise<string> =>
    b.node('Gather', 'embeddings', [await weights.load(name, [rows, width]), of], { attributes: { axis: int(0) } });
  let x = b.node('Add', 'embeddings', [
    await gather(layout.words, vocabularySize, ids), await gather(layout.types, file.tensors.get(layout.types)!.shape[0], types),
  ]);
  if (layout.positions !== undefined) {
    const length = b.node('Shape', 'embeddings', [ids], { attributes: { start: int(1), end: int(2) } });
    const table = await weights.load(layout.positions, [positions!, width]);
    x = b.node('Add', 'embeddings', [x, b.node('Slice', 'embeddings', [table, b.integers('embeddings', [0]), length, b.integers('embeddings', [0])])]);
  }
  x = await addLayerNorm(b, weights, 'embeddings', x, layout.norm, width, normEps, 'embed');
  for (const [i, layer] of layout.layers.entries()) {
    const mixed = await addMixer(b, weights, `layers.${i}.mixer`, x, layer, network);
    const sum = b.node('Add', `layers.${i}.mlp`, [await addGatedMlp(b, weights, `layers.${i}.mlp`, mixed, layer, network.sizes), mixed]);
    x = await addLayerNorm(b, weights, `layers.${i}.mlp`, sum, layer.norm, width, normEps, `hidden.${i}`);
  }
  let output = x;
  if (layout.head) {
    const { dense, norm, decoder } = layout.head;
    const hidden = addErfGelu(b, 'head', await addLinear(b, weights, 'head/dense', x, dense, [width, width]));
    const transform = await addLayerNorm(b, weights, 'head', hidden, norm, width, normEps, 'mlm_transform');
    [output] = b.nodeWithOutputs('Identity', 'head', [await addLinear(b, weights, 'head/decoder', transform, decoder, [vocabularySize, width])], { outputs: ['logits'] });
  }
  b.output(output, ElementType.FLOAT, ['batch', 'sequence', layout.head ? vocabularySize : width]);
  return { ...finishGraph(b, 'm2bert', { name: ids, kind: 'tokens' }, output), extraInputs: [types] };
}

/** out(x2 * conv(x1 * v) + conv2(x)) with x1, x2, v from a linear layer and a short convolution. */
async function addMixer(b: GraphBuilder, weights: Weights, scope: string, input: string, layer: M2Layer, { sizes, maxLength, directions }: M2Network): Promise<string> {
  const { width, shortFilterTaps } = sizes;
  const x = layer.firstNorm ? await addLayerNorm(b, weights, scope, input, layer.firstNorm, width, FIRST_NORM_EPS) : input;
  const projected = addSwap(b, scope, await addLinear(b, weights, `${scope}/in_linear`, x, layer.input, [3 * width, width]));
  const short = await addShortConvolution(b, weights, `${scope}/short_filter`, projected, layer.shortFilter, 3 * width, shortFilterTaps);
  const [x1, x2, v] = b.nodeWithOutputs('Split', scope, [short], { attributes: { axis: int(1) }, outputs: 3 });
  const convolve = async (u: string, { site, skip }: M2Convolution, gates: { preGate?: string; postGate?: string }): Promise<string> => {
    const k = b.input(filterInputName(site), ElementType.FLOAT, [width, 'taps']);
    return addLongConv(b, { site, mode: directions.get(site)!, u, k, skip: await weights.load(skip, [width]), ...gates }, fftSizeFor(maxLength));
  };
  let y = await convolve(v, layer.main, { preGate: x1, postGate: x2 });
  if (layer.residual) y = b.node('Add', scope, [y, await convolve(addSwap(b, scope, x), layer.residual, {})]);
  return addLinear(b, weights, `${scope}/out_linear`, addSwap(b, scope, y), layer.output, [width, width]);
}

/** wo(gelu(g) * h) with [g, h] = gated(x); both layers may be block-diagonal. */
async function addGatedMlp(b: GraphBuilder, weights: Weights, scope: string, x: string, { gated, wo }: M2Layer, { width, inner, blocks }: M2Sizes): Promise<string> {
  const both = await addBlockDiagonal(b, weights, `${scope}/gated_layers`, x, gated, blocks, 2 * inner, width);
  const [g, h] = b.nodeWithOutputs('Split', scope, [both], { attributes: { axis: int(-1) }, outputs: 2 });
  const hidden = b.node('Mul', scope, [addErfGelu(b, scope, g), h]);
  return b.node('Add', scope, [await addBlockDiagonal(b, weights, `${scope}/wo`, hidden, wo.weight, blocks, width, inner), await weights.load(wo.bias, [width])]);
}

/** x [batch, length, columns] by a block-diagonal matrix stored as [blocks, rows/blocks, columns/blocks]. */
async function addBlockDiagonal(b: GraphBuilder, weights: Weights, scope: string, x: string, name: string, blocks: number, rows: number, columns: number): Promise<string> {
  const [r, c] = [rows / blocks, columns / blocks];
  const weight = await weights.loadChanged(name, 'transposed', [blocks, c, r], (data) => {
    const out = new Float32Array(data.length);
    for (let block = 0; block < blocks; block++) out.set(transposed(data.subarray(block * r * c, (block + 1) * r * c), r, c), block * r * c);
    return out;
  });
  const split = b.node('Reshape', scope, [x, b.integers(scope, [0, 0, blocks, 1, c])]);
  return b.node('Reshape', scope, [b.node('MatMul', scope, [split, weight]), b.integers(scope, [0, 0, rows])]);
}
