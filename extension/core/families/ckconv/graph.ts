import type { TensorFile } from '../../formats/tensor-file';
import { ElementType, GraphBuilder, int, ints } from '../../graph/builder';
import { addLongConv, fftSizeFor } from '../../graph/long-conv-op';
import { filterInputName, type ModelGraph } from '../../graph/model-graph';
import { finishGraph } from '../shared/model-graph';
import type { WeightAndBias } from '../shared/tensor-names';
import { Weights } from '../shared/weights';
import type { CkConvolution, CkLayout } from './layout';

const NORM_EPS = 1e-12;

export interface CkNetwork {
  readonly layout: CkLayout;
  readonly inputs: number;
  readonly hidden: number;
  readonly classes: number;
  readonly trainLength: number;
}

/**
 * CKCNN: input [batch, channels, length], logits [batch, classes] from the last sample. Each block: two full causal convolutions, each with a
 * norm and ReLU, and a shortcut. Source: dwromero/ckconv, models/ckcnn.py.
 */
export async function buildCkGraph(network: CkNetwork, file: TensorFile): Promise<ModelGraph> {
  const { layout, inputs, hidden, classes } = network;
  const b = new GraphBuilder();
  const weights = new Weights(b, file);
  const input = b.input('input', ElementType.FLOAT, ['batch', inputs, 'sequence']);
  let x = input;
  for (const [i, block] of layout.blocks.entries()) {
    const scope = `backbone.${i}`;
    const channels = i === 0 ? inputs : hidden;
    let y = x;
    for (const [n, convolution] of block.convolutions.entries()) {
      const convolved = await addFullConvolution(b, weights, convolution, y, n === 0 ? channels : hidden, network);
      y = b.node('Relu', scope, [await addJointNorm(b, weights, `${scope}.norm${n + 1}`, convolved, block.norms[n], hidden)]);
    }
    const shortcut = block.shortcut
      ? b.node('Conv', scope, [x, await weights.load(block.shortcut.weight, [hidden, channels, 1]), await weights.load(block.shortcut.bias, [hidden])])
      : x;
    [x] = b.nodeWithOutputs('Relu', scope, [b.node('Add', scope, [y, shortcut])], { outputs: [`block${i}.out`] });
  }
  const last = b.node('Gather', 'finallyr', [x, b.node('Constant', 'finallyr', [], { attributes: { value_int: int(-1) } })], { attributes: { axis: int(2) } });
  const product = b.node('MatMul', 'finallyr', [last, await weights.loadTransposed(layout.head.weight, [classes, hidden])]);
  const [logits] = b.nodeWithOutputs('Add', 'finallyr', [product, await weights.load(layout.head.bias, [classes])], { outputs: ['logits'] });
  b.output(logits, ElementType.FLOAT, ['batch', classes]);
  return finishGraph(b, 'ckconv', { name: input, kind: 'float', lengthAxis: 2 }, logits);
}

/**
 * y[o] = sum_i k[o, i] * x[i] + bias[o] as a depthwise convolution of O copies of the I channels, row o*I + i, summed over i.
 */
async function addFullConvolution(
  b: GraphBuilder, weights: Weights, { site, bias }: CkConvolution, x: string, inputs: number, { hidden, trainLength }: CkNetwork,
): Promise<string> {
  const copies = b.node('Tile', site, [x, b.integers(site, [1, hidden, 1])]);
  const k = b.input(filterInputName(site), ElementType.FLOAT, [hidden * inputs, 'taps']);
  const pairs = addLongConv(b, { site, mode: 'causal', u: copies, k }, fftSizeFor(trainLength));
  const split = b.node('Reshape', site, [pairs, b.integers(site, [0, hidden, inputs, -1])]);
  const sum = b.node('ReduceSum', site, [split, b.integers(site, [2])], { attributes: { keepdims: int(0) } });
  const column = await weights.loadChanged(bias, 'column', [hidden, 1], (data) => data);
  return b.nodeWithOutputs('Add', site, [sum, column], { outputs: [`${site}.y`] })[0];
}

/** (x - mean) / sqrt(variance + eps) over channels and time together, then a scale and shift for each channel. */
async function addJointNorm(b: GraphBuilder, weights: Weights, scope: string, x: string, { weight, bias }: WeightAndBias, channels: number): Promise<string> {
  const over = { attributes: { axes: ints([1, 2]), keepdims: int(1) } };
  const centred = b.node('Sub', scope, [x, b.node('ReduceMean', scope, [x], over)]);
  const variance = b.node('ReduceMean', scope, [b.node('Mul', scope, [centred, centred])], over);
  const deviation = b.node('Sqrt', scope, [b.node('Add', scope, [variance, b.scalar(scope, NORM_EPS)])]);
  const column = (name: string): Promise<string> => weights.loadChanged(name, 'column', [channels, 1], (data) => data);
  return b.node('Add', scope, [b.node('Mul', scope, [b.node('Div', scope, [centred, deviation]), await column(weight)]), await column(bias)]);
}
