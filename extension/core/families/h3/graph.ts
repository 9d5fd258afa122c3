import type { TensorFile } from '../../formats/tensor-file';
import { ElementType, type GraphBuilder, int } from '../../graph/builder';
import { addLongConv, fftSizeFor } from '../../graph/long-conv-op';
import { filterInputName, type ModelGraph } from '../../graph/model-graph';
import { addCausalAttention, type Rotary } from '../shared/attention';
import { buildGptGraph, type GptNetwork } from '../shared/gpt-graph';
import { addLinear, addSwap } from '../shared/layers';
import type { Weights } from '../shared/weights';
import type { AttentionMixer, H3Layer, H3Mixer } from './layout';

/** Everything of an H3 network but its long filters. */
export interface H3Network extends GptNetwork<H3Layer> {
  readonly maxLength: number;
  /** 0 where no layer is attention. */
  readonly heads: number;
  readonly rotary?: Rotary;
}

/** The forward pass of an H3 language model; see buildGptGraph. Source: HazyResearch/H3, ssm_seq.py and h3.py. */
export function buildH3Graph(network: H3Network, file: TensorFile): Promise<ModelGraph> {
  return buildGptGraph('h3', network, file, (b, weights, scope, x, { mixer }) =>
    (mixer.kind === 'attention' ? addAttention(b, weights, scope, x, mixer, network) : addH3(b, weights, scope, x, mixer, network)));
}

/** q * conv2(conv1(k) * v) between linear layers, each convolution with its skip term. */
async function addH3(b: GraphBuilder, weights: Weights, scope: string, x: string, mixer: H3Mixer, { dModel, maxLength }: H3Network): Promise<string> {
  const project = async (part: 'q' | 'k' | 'v'): Promise<string> =>
    addSwap(b, scope, await addLinear(b, weights, `${scope}/${part}_proj`, x, mixer[part], [dModel, dModel]));
  const [q, k, v] = [await project('q'), await project('k'), await project('v')];
  const convolve = async (u: string, { site, skip }: H3Mixer['first'], postGate: string): Promise<string> => {
    const filter = b.input(filterInputName(site), ElementType.FLOAT, [dModel, 'taps']);
    return addLongConv(b, { site, mode: 'causal', u, k: filter, skip: await weights.load(skip, [dModel]), postGate }, fftSizeFor(maxLength));
  };
  const kv = await convolve(k, mixer.first, v);
  const y = await convolve(kv, mixer.second, q);
  return addLinear(b, weights, `${scope}/output_linear`, addSwap(b, scope, y), mixer.out, [dModel, dModel]);
}

async function addAttention(
  b: GraphBuilder, weights: Weights, scope: string, x: string, mixer: AttentionMixer, { dModel, heads, rotary }: H3Network,
): Promise<string> {
  const all = await addLinear(b, weights, `${scope}/Wqkv`, x, mixer.qkv, [3 * dModel, dModel]);
  const [q, k, v] = b.nodeWithOutputs('Split', scope, [all], { attributes: { axis: int(-1) }, outputs: 3 });
  const y = addCausalAttention(b, scope, q, k, v, { heads, keyHeads: heads, headDimension: dModel / heads, rotary });
  return addLinear(b, weights, `${scope}/out_proj`, y, mixer.out, [dModel, dModel]);
}
