import type { TensorFile } from '../../formats/tensor-file';
import { ElementType, GraphBuilder, int } from '../../graph/builder';
import { addLongConv, fftSizeFor } from '../../graph/long-conv-op';
import { filterInputName, type ModelGraph } from '../../graph/model-graph';
import { addGeluMlp, addLayerNorm, addLinear, addShortConvolution, addSwap } from '../shared/layers';
import { finishGraph } from '../shared/model-graph';
import { Weights } from '../shared/weights';
import type { HyenaDnaLayer, HyenaDnaNetwork } from './layout';

/**
 * The forward pass of a Hyena language model as a graph called `name`: input `input_ids` [batch, sequence] int64, output `logits`
 * [batch, sequence, vocabularySize]. Pre-norm blocks x += Mixer(LN(x)); x += MLP(LN(x)); then a last LayerNorm and a head without bias. Initializers carry the file's
 * tensor names, weights of linear layers transposed to [in, out]. The values after each
 * block are called `hidden.<layer>`. Source: reference implementations of HyenaDNA and safari.
 */
export async function buildHyenaDnaGraph(network: HyenaDnaNetwork, file: TensorFile, name = 'hyenadna'): Promise<ModelGraph> {
  const b = new GraphBuilder();
  const weights = new Weights(b, file);
  const ids = b.input('input_ids', ElementType.INT64, ['batch', 'sequence']);
  const embedding = await weights.load(network.embedding, [network.vocabularySize, network.dModel]);
  let x = b.node('Gather', 'embedding', [embedding, ids], { attributes: { axis: int(0) } });
  for (const [index, layer] of network.layers.entries()) {
    const scope = `layers.${index}`;
    const first = await addLayerNorm(b, weights, `${scope}/norm1`, x, layer.norm1, network.dModel, network.blockNormEps);
    x = b.node('Add', `${scope}/mixer`, [x, await addMixer(b, weights, `${scope}/mixer`, first, layer, network)]);
    const second = await addLayerNorm(b, weights, `${scope}/norm2`, x, layer.norm2, network.dModel, network.blockNormEps);
    const mlp = await addGeluMlp(b, weights, `${scope}/mlp`, second, layer, network.dModel, network.inner);
    [x] = b.nodeWithOutputs('Add', `${scope}/mlp`, [x, mlp], { outputs: [`hidden.${index}`] });
  }
  const last = await addLayerNorm(b, weights, 'final_norm', x, network.finalNorm, network.dModel, network.finalNormEps, 'final_norm');
  const head = await weights.loadTransposed(network.head, [network.vocabularySize, network.dModel]);
  const [logits] = b.nodeWithOutputs('MatMul', 'head', [last, head], { outputs: ['logits'] });
  b.output(logits, ElementType.FLOAT, ['batch', 'sequence', network.vocabularySize]);
  return finishGraph(b, name, { name: ids, kind: 'tokens' }, logits);
}

/**
 * Hyena operator of order N between two linear layers, after a short depthwise convolution: v is multiplied by x_{N-1} and convolved, ...,
 * by x_1 and convolved, at last multiplied by x_0.
 */
async function addMixer(
  b: GraphBuilder, weights: Weights, scope: string, x: string, layer: HyenaDnaLayer, network: HyenaDnaNetwork,
): Promise<string> {
  const { dModel, shortFilterTaps, maxLength } = network;
  const order = layer.sites.length + 1;
  const projected = (order + 1) * dModel;
  const channelsFirst = addSwap(b, scope, await addLinear(b, weights, `${scope}/in_proj`, x, layer.inProj, [projected, dModel]));
  const mixed = await addShortConvolution(b, weights, `${scope}/short_filter`, channelsFirst, layer.shortFilter, projected, shortFilterTaps);
  const gates = b.nodeWithOutputs('Split', scope, [mixed], { attributes: { axis: int(1) }, outputs: order + 1 });
  let v = gates[order];
  for (const [o, site] of layer.sites.entries()) {
    const k = b.input(filterInputName(site), ElementType.FLOAT, [dModel, 'taps']);
    const skip = order === 2
      ? await weights.load(layer.filterBias, [dModel])
      : await weights.loadChanged(layer.filterBias, `o${o}`, [dModel], (bias) => bias.filter((_, i) => i % (order - 1) === o));
    const postGate = o === order - 2 ? gates[0] : undefined;
    v = addLongConv(b, { site, mode: 'causal', u: v, k, skip, preGate: gates[order - 1 - o], postGate }, fftSizeFor(maxLength));
  }
  return addLinear(b, weights, `${scope}/out_proj`, addSwap(b, scope, v), layer.outProj, [dModel, dModel]);
}
