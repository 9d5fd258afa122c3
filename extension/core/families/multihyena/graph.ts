import type { TensorFile } from '../../formats/tensor-file';
import { ElementType, GraphBuilder, int, ints } from '../../graph/builder';
import { addLongConv, fftSizeFor } from '../../graph/long-conv-op';
import { filterInputName, type ModelGraph } from '../../graph/model-graph';
import { addLinear, addShortConvolution, addSwap } from '../shared/layers';
import { finishGraph } from '../shared/model-graph';
import { Weights } from '../shared/weights';
import { MULTIHYENA_SITE, type MultiHyenaLayout } from './layout';

export interface MultiHyenaSizes {
  /** Channels of the operator's input and output. */
  readonly dim: number;
  /** d, channels inside it: inner_factor times as many. */
  readonly inner: number;
  /** M. */
  readonly heads: number;
  /** The projection is repeated so many times. */
  readonly groups: number;
  readonly shortFilterTaps: number;
}

/**
 * The operator as a graph: input `input` [batch, length, dim], output of the same shape. Channel h M + m belongs to filter h and head m.
 * kv[m1, m2, h] = v[h, m1] * x2[h, m2] is convolved with filter h for every pair of heads, M^2 convolutions with each filter, which are
 * batch entries here; out[h, m2] = sum over m1 of the result times x1[h, m1]. Source: athms/mad-lab, hyena.py.
 */
export async function buildMultiHyenaGraph(layout: MultiHyenaLayout, sizes: MultiHyenaSizes, file: TensorFile, maxLength: number): Promise<ModelGraph> {
  const { dim, inner, heads, groups, shortFilterTaps } = sizes;
  const filters = inner / heads;
  const b = new GraphBuilder();
  const weights = new Weights(b, file);
  const scope = 'operator';
  const input = b.input('input', ElementType.FLOAT, ['batch', 'length', dim]);
  const projected = await addLinear(b, weights, `${scope}/in_proj`, input, layout.inProj, [(3 * inner) / groups, dim]);
  const repeated = groups === 1 ? projected : b.node('Concat', scope, Array.from({ length: groups }, () => projected), { attributes: { axis: int(-1) } });
  const mixed = await addShortConvolution(b, weights, `${scope}/short_filter`, addSwap(b, scope, repeated), layout.shortFilter, 3 * inner, shortFilterTaps);
  const [x1, x2, v] = b.nodeWithOutputs('Split', scope, [mixed], { attributes: { axis: int(1) }, outputs: 3 });

  // [batch, head, filter, length], then with an axis of size 1 for the other head.
  const byHead = (x: string, axis: number): string => {
    const split = b.node('Reshape', scope, [x, b.integers(scope, [0, filters, heads, -1])]);
    const headFirst = b.node('Transpose', scope, [split], { attributes: { perm: ints([0, 2, 1, 3]) } });
    return b.node('Unsqueeze', scope, [headFirst, b.integers(scope, [axis])]);
  };
  const kv = b.node('Mul', scope, [byHead(v, 2), byHead(x2, 1)]);
  const length = b.node('Shape', scope, [input], { attributes: { start: int(1), end: int(2) } });
  const shape = (...dims: number[]): string => b.node('Concat', scope, [b.integers(scope, dims), length], { attributes: { axis: int(0) } });
  const u = b.node('Reshape', scope, [kv, shape(-1, filters)]);
  const k = b.input(filterInputName(MULTIHYENA_SITE), ElementType.FLOAT, [filters, 'taps']);
  const skip = await weights.load(layout.bias, [filters]);
  const y = addLongConv(b, { site: MULTIHYENA_SITE, mode: 'causal', u, k, skip }, fftSizeFor(maxLength));
  const pairs = b.node('Reshape', scope, [y, shape(-1, heads, heads, filters)]);
  const sum = b.node('ReduceSum', scope, [b.node('Mul', scope, [pairs, byHead(x1, 2)]), b.integers(scope, [1])], { attributes: { keepdims: int(0) } });
  const filterFirst = b.node('Transpose', scope, [sum], { attributes: { perm: ints([0, 2, 1, 3]) } });
  const channels = b.node('Reshape', scope, [filterFirst, b.integers(scope, [0, inner, -1])]);
  const output = await addLinear(b, weights, `${scope}/out_proj`, addSwap(b, scope, channels), layout.outProj, [dim, inner]);
  b.output(output, ElementType.FLOAT, ['batch', 'length', dim]);
  return finishGraph(b, 'multihyena', { name: input, kind: 'float' }, output);
}
