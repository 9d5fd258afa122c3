import { type Attribute, ElementType, type GraphBuilder, int, ints } from '../../graph/builder';
import { elementTypeNamed } from '../../graph/dense-sessions';
import type { OnnxSite, SignalLayout } from './site';

/** Operator set from which Pad, Slice and the reductions take their parameters as inputs. */
const OPERANDS_AS_INPUTS = 11;

/**
 * Nodes that compute y from u: u is brought into [batch, channels, samples] float32, convolved by the nodes that `convolve` adds, and
 * brought back. Only operators and forms that all operator sets from 7 on have.
 */
export function emitSite(b: GraphBuilder, site: OnnxSite, opset: number, convolve: (u: string) => string): void {
  const { id, u, y, channels, tail } = site;
  const rank = u.dims.length;
  const batchAxes = u.dims.map((_, axis) => axis).filter((axis) => axis !== u.timeAxis && !u.channelAxes.includes(axis));
  const order = [...batchAxes, ...u.channelAxes, u.timeAxis];
  const node = (op: string, inputs: readonly string[], attributes: Record<string, Attribute> = {}): string => b.node(op, id, inputs, { attributes });
  const reshape = (value: string, shape: readonly number[]): string => node('Reshape', [value, integers(b, id, shape)]);
  const plain = rank === 3 && order.every((axis, i) => axis === i) && u.channelAxes.length === 1;

  let x = u.value;
  if (!plain || u.trailing) {
    const withTrailing = u.trailing ? [...order, rank] : order;
    if (withTrailing.some((axis, i) => axis !== i)) x = node('Transpose', [x], { perm: ints(withTrailing) });
    x = reshape(x, flatShape(u, batchAxes, channels));
  }
  if (u.type !== 'float32') x = node('Cast', [x], { to: int(ElementType.FLOAT) });
  if (tail > 0) x = pad(b, id, x, tail, opset);
  let v = convolve(x);
  if (site.scale !== 1) v = node('Mul', [v, b.floats(`${id}/scale`, [], Float32Array.of(site.scale))]);
  if (site.bias) {
    const bias = u.type === 'float32' ? site.bias : node('Cast', [site.bias], { to: int(ElementType.FLOAT) });
    v = node('Add', [v, reshape(bias, [channels, 1])]);
  }
  const samples = y.dims[y.timeAxis];
  if (samples < u.dims[u.timeAxis] + tail) v = slice(b, id, v, samples, opset);
  if (y.type !== 'float32') v = node('Cast', [v], { to: int(elementTypeNamed(y.type) ?? ElementType.FLOAT) });
  if (!plain || y.trailing) {
    const inOrder = order.map((axis) => y.dims[axis]);
    const sizes = batchAxes.length <= 1 ? order.map((axis) => (axis === u.timeAxis ? -1 : batchAxes.includes(axis) ? 0 : y.dims[axis])) : inOrder;
    v = reshape(v, y.trailing ? [...sizes, 1] : sizes);
    const back = order.map((_, axis) => order.indexOf(axis));
    const withTrailing = y.trailing ? [...back, rank] : back;
    if (withTrailing.some((axis, i) => axis !== i)) v = node('Transpose', [v], { perm: ints(withTrailing) });
  }
  const named = node('Identity', [v]);
  b.nameLast(named, y.value);
}

/** [batch, channels, samples] as Reshape takes it: 0 copies the batch, -1 is what is left. */
function flatShape(u: SignalLayout, batchAxes: readonly number[], channels: number): number[] {
  if (batchAxes.length === 0) return [1, channels, -1];
  return batchAxes.length === 1 ? [0, channels, -1] : [-1, channels, u.dims[u.timeAxis]];
}

function pad(b: GraphBuilder, scope: string, x: string, tail: number, opset: number): string {
  const pads = [0, 0, 0, 0, 0, tail];
  if (opset < OPERANDS_AS_INPUTS) return b.node('Pad', scope, [x], { attributes: { pads: ints(pads) } });
  return b.node('Pad', scope, [x, integers(b, scope, pads)]);
}

/** The first `samples` along the last of three axes. */
function slice(b: GraphBuilder, scope: string, x: string, samples: number, opset: number): string {
  if (opset < OPERANDS_AS_INPUTS) return b.node('Slice', scope, [x], { attributes: { starts: ints([0]), ends: ints([samples]), axes: ints([2]) } });
  return b.node('Slice', scope, [x, integers(b, scope, [0]), integers(b, scope, [samples]), integers(b, scope, [2])]);
}

/** An int64 constant as an initializer: Constant has no `value_ints` in older operator sets. */
function integers(b: GraphBuilder, scope: string, values: readonly number[]): string {
  const name = `${scope}/integers_${b.initializers.length}`;
  b.initializers.push({ name, dims: [values.length], dataType: ElementType.INT64, rawData: new Uint8Array(BigInt64Array.from(values, BigInt).buffer) });
  return name;
}
