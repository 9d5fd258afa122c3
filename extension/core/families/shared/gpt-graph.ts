import type { TensorFile } from '../../formats/tensor-file';
import { ElementType, GraphBuilder, int } from '../../graph/builder';
import type { ModelGraph } from '../../graph/model-graph';
import { addGeluMlp, addLayerNorm } from './layers';
import { finishGraph } from './model-graph';
import type { WeightAndBias } from './tensor-names';
import { Weights } from './weights';

/** Tensor names of a block's parts around its mixer. Shapes with d = dModel. */
export interface GptBlock {
  /** LayerNorm before the mixer: [d], [d]. */
  readonly norm1: WeightAndBias;
  /** LayerNorm before the MLP: [d], [d]. */
  readonly norm2: WeightAndBias;
  /** [inner, d], [inner]. */
  readonly fc1: WeightAndBias;
  /** [d, inner], [d]. */
  readonly fc2: WeightAndBias;
}

/** A GPT-like language model whose mixers are the family's own: tensor names in the file, and sizes. */
export interface GptNetwork<B extends GptBlock> {
  readonly dModel: number;
  /** Width of the MLP's hidden layer. */
  readonly inner: number;
  /** Rows of the embedding and of the head: the padded vocabulary. All of them enter the softmax. */
  readonly vocabularySize: number;
  /** Epsilon of norm1 and norm2. */
  readonly blockNormEps: number;
  /** Epsilon of finalNorm. */
  readonly finalNormEps: number;
  /** [vocabularySize, d]. */
  readonly embedding: string;
  readonly layers: readonly B[];
  /** [d], [d]. */
  readonly finalNorm: WeightAndBias;
  /** [vocabularySize, d], no bias; the embedding's name when the head is tied and not stored. */
  readonly head: string;
  /** Weights stay on disk, and are read layer by layer at every run. */
  readonly onDisk?: boolean;
}

/** Adds a mixer: x [batch, sequence, d] to the same. */
export type AddMixer<B> = (b: GraphBuilder, weights: Weights, scope: string, x: string, layer: B) => Promise<string>;

/**
 * The forward pass as a graph called `name`: input `input_ids` [batch, sequence] int64, output `logits` [batch, sequence, vocabularySize].
 * Pre-norm blocks x += Mixer(LN(x)); x += MLP(LN(x)); then a last LayerNorm and a head without bias. Initializers carry the file's
 * tensor names, weights of linear layers transposed to [in, out]. The values after the blocks are called `hidden.<layer>`.
 * Source: reference implementations of HyenaDNA, safari and H3.
 */
export async function buildGptGraph<B extends GptBlock>(name: string, network: GptNetwork<B>, file: TensorFile, addMixer: AddMixer<B>): Promise<ModelGraph> {
  const { dModel, vocabularySize, blockNormEps } = network;
  const b = new GraphBuilder();
  const weights = new Weights(b, file, network.onDisk);
  const ids = b.input('input_ids', ElementType.INT64, ['batch', 'sequence']);
  const embedding = await weights.load(network.embedding, [vocabularySize, dModel]);
  let x = b.node('Gather', 'embedding', [embedding, ids], { attributes: { axis: int(0) } });
  for (const [index, layer] of network.layers.entries()) {
    const scope = `layers.${index}`;
    const first = await addLayerNorm(b, weights, `${scope}/norm1`, x, layer.norm1, dModel, blockNormEps);
    x = b.node('Add', `${scope}/mixer`, [x, await addMixer(b, weights, `${scope}/mixer`, first, layer)]);
    const second = await addLayerNorm(b, weights, `${scope}/norm2`, x, layer.norm2, dModel, blockNormEps);
    const mlp = await addGeluMlp(b, weights, `${scope}/mlp`, second, layer, dModel, network.inner);
    [x] = b.nodeWithOutputs('Add', `${scope}/mlp`, [x, mlp], { outputs: [`hidden.${index}`] });
  }
  const last = await addLayerNorm(b, weights, 'final_norm', x, network.finalNorm, dModel, network.finalNormEps, 'final_norm');
  const head = await weights.loadTransposed(network.head, [vocabularySize, dModel]);
  const [logits] = b.nodeWithOutputs('MatMul', 'head', [last, head], { outputs: ['logits'] });
  b.output(logits, ElementType.FLOAT, ['batch', 'sequence', vocabularySize]);
  const cuts = network.onDisk ? network.layers.map((_, index) => `hidden.${index}`) : undefined;
  return finishGraph(b, name, { name: ids, kind: 'tokens' }, logits, { stored: weights.stored, cuts });
}
