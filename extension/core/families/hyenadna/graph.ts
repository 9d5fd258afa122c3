import type { TensorFile } from '../../formats/tensor-file';
import { ElementType, type GraphBuilder, int } from '../../graph/builder';
import { addLongConv, fftSizeFor } from '../../graph/long-conv-op';
import { filterInputName, type ModelGraph } from '../../graph/model-graph';
import { buildGptGraph } from '../shared/gpt-graph';
import { addLinear, addShortConvolution, addSwap } from '../shared/layers';
import type { Weights } from '../shared/weights';
import type { HyenaDnaLayer, HyenaDnaNetwork } from './layout';

/** The forward pass of a Hyena language model; see buildGptGraph. Source: reference implementations of HyenaDNA and safari. */
export function buildHyenaDnaGraph(network: HyenaDnaNetwork, file: TensorFile, name = 'hyenadna'): Promise<ModelGraph> {
  return buildGptGraph(name, network, file, (b, weights, scope, x, layer) => addMixer(b, weights, scope, x, layer, network));
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
