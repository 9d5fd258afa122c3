import type { TensorFile } from '../../formats/tensor-file';
import { ElementType, float, GraphBuilder, int, ints, IR_VERSION, OPSET_VERSION } from '../../graph/builder';
import { addLongConv, fftSizeFor, LONG_CONV_OPSET_VERSION, longConvFunction } from '../../graph/long-conv-op';
import { filterInputName, LONG_CONV_DOMAIN, type ModelGraph } from '../../graph/model-graph';
import { TOOL } from '../../version';
import type { HyenaDnaLayer, HyenaDnaNetwork, WeightAndBias } from './layout';

/**
 * The HyenaDNA forward pass as a graph: input `input_ids` [batch, sequence] int64, output `logits` [batch, sequence, vocabularySize].
 * Pre-norm blocks x += Mixer(LN(x)); x += MLP(LN(x)); then a last LayerNorm and a head without bias. Initializers carry the file's
 * tensor names, weights of linear layers transposed to [in, out]. Source: reference implementation of HyenaDNA.
 */
export async function buildHyenaDnaGraph(network: HyenaDnaNetwork, file: TensorFile): Promise<ModelGraph> {
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
    x = b.node('Add', `${scope}/mlp`, [x, await addMlp(b, weights, `${scope}/mlp`, second, layer, network)]);
  }
  const last = await addLayerNorm(b, weights, 'final_norm', x, network.finalNorm, network.dModel, network.finalNormEps);
  const head = await weights.loadTransposed(network.head, [network.vocabularySize, network.dModel]);
  const [logits] = b.nodeWithOutputs('MatMul', 'head', [last, head], { outputs: ['logits'] });
  b.output(logits, ElementType.FLOAT, ['batch', 'sequence', network.vocabularySize]);
  return {
    model: {
      irVersion: IR_VERSION,
      producerName: TOOL,
      opsetImport: [{ domain: '', version: OPSET_VERSION }, { domain: LONG_CONV_DOMAIN, version: LONG_CONV_OPSET_VERSION }],
      functions: [longConvFunction()],
      graph: b.graph('hyenadna'),
    },
    input: { name: ids, kind: 'tokens' },
    output: logits,
  };
}

/** Hyena operator of order 2: x0 * (conv(x1 * v, k) + bias * x1 * v) between two linear layers, after a short depthwise convolution. */
async function addMixer(
  b: GraphBuilder, weights: Weights, scope: string, x: string, layer: HyenaDnaLayer, network: HyenaDnaNetwork,
): Promise<string> {
  const { dModel, shortFilterTaps: taps, maxLength } = network;
  const projected = await addLinear(b, weights, `${scope}/in_proj`, x, layer.inProj, [3 * dModel, dModel]);
  const channelsFirst = b.node('Transpose', scope, [projected], { attributes: { perm: ints([0, 2, 1]) } });
  const shortWeight = await weights.load(layer.shortFilter.weight, [3 * dModel, 1, taps]);
  const shortBias = await weights.load(layer.shortFilter.bias, [3 * dModel]);
  const mixed = b.node('Conv', `${scope}/short_filter`, [channelsFirst, shortWeight, shortBias], {
    attributes: { group: int(3 * dModel), kernel_shape: ints([taps]), pads: ints([taps - 1, 0]) },
  });
  const [x0, x1, v] = b.nodeWithOutputs('Split', scope, [mixed], { attributes: { axis: int(1) }, outputs: 3 });
  const k = b.input(filterInputName(layer.site), ElementType.FLOAT, [dModel, 'taps']);
  const skip = await weights.load(layer.filterBias, [dModel]);
  const y = addLongConv(b, { site: layer.site, mode: 'causal', u: v, k, skip, preGate: x1, postGate: x0 }, fftSizeFor(maxLength));
  const channelsLast = b.node('Transpose', scope, [y], { attributes: { perm: ints([0, 2, 1]) } });
  return addLinear(b, weights, `${scope}/out_proj`, channelsLast, layer.outProj, [dModel, dModel]);
}

async function addMlp(
  b: GraphBuilder, weights: Weights, scope: string, x: string, layer: HyenaDnaLayer, { inner, dModel }: HyenaDnaNetwork,
): Promise<string> {
  const hidden = await addLinear(b, weights, `${scope}/fc1`, x, layer.fc1, [inner, dModel]);
  return addLinear(b, weights, `${scope}/fc2`, addTanhGelu(b, scope, hidden), layer.fc2, [dModel, inner]);
}

/** GELU in its tanh approximation: x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))). */
function addTanhGelu(b: GraphBuilder, scope: string, x: string): string {
  const cube = b.node('Mul', scope, [b.node('Mul', scope, [x, x]), x]);
  const inside = b.node('Add', scope, [x, b.node('Mul', scope, [cube, b.scalar(scope, 0.044715)])]);
  const tanh = b.node('Tanh', scope, [b.node('Mul', scope, [inside, b.scalar(scope, Math.sqrt(2 / Math.PI))])]);
  const half = b.node('Mul', scope, [x, b.scalar(scope, 0.5)]);
  return b.node('Mul', scope, [half, b.node('Add', scope, [tanh, b.scalar(scope, 1)])]);
}

async function addLayerNorm(
  b: GraphBuilder, weights: Weights, scope: string, x: string, names: WeightAndBias, width: number, epsilon: number,
): Promise<string> {
  const scale = await weights.load(names.weight, [width]);
  const shift = await weights.load(names.bias, [width]);
  return b.node('LayerNormalization', scope, [x, scale, shift], { attributes: { axis: int(-1), epsilon: float(epsilon) } });
}

/** x W^T + bias, with W [out, in] as in the file. */
async function addLinear(
  b: GraphBuilder, weights: Weights, scope: string, x: string, names: WeightAndBias, shape: readonly [number, number],
): Promise<string> {
  const weight = await weights.loadTransposed(names.weight, shape);
  const bias = await weights.load(names.bias, [shape[0]]);
  return b.node('Add', scope, [b.node('MatMul', scope, [x, weight]), bias]);
}

/** Brings tensors of the file into the graph. A tied head differs from its embedding in name, because it is transposed. */
class Weights {
  constructor(private readonly b: GraphBuilder, private readonly file: TensorFile) {}

  async load(name: string, shape: readonly number[]): Promise<string> {
    return this.b.floats(name, shape, await this.file.readFloat32(name));
  }

  /** The transpose of a matrix [rows, columns] of the file. */
  async loadTransposed(name: string, [rows, columns]: readonly [number, number]): Promise<string> {
    const data = await this.file.readFloat32(name);
    const transposed = new Float32Array(data.length);
    for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) transposed[c * rows + r] = data[r * columns + c];
    return this.b.floats(`${name}/transposed`, [columns, rows], transposed);
  }
}
