import { ElementType, GraphBuilder, int, ints, type Attribute } from '../../graph/builder';
import { DENSE_TYPES } from '../../graph/dense-sessions';
import { encodedAs } from '../../graph/encode-model';
import { addLongConv, LONG_CONV_OPSET_VERSION, longConvFunction } from '../../graph/long-conv-op';
import { filterInputName, type GraphFeed, LONG_CONV_DOMAIN, type ModelGraph } from '../../graph/model-graph';
import { onnx } from '../../graph/onnx';
import { UserError } from '../../errors';
import type { OnnxTensor } from '../../formats/onnx/structure';
import type { GraphView } from './graph-view';
import type { ModelValues } from './model-values';
import type { OnnxSite, SignalLayout } from './site';
import { encodedTensor } from './submodel';

/** Operator set from which Pad, Slice and the reductions take their parameters as inputs. */
const OPERANDS_AS_INPUTS = 11;

/**
 * The model with each site's nodes replaced by one LongConv between nodes that bring its signal into [batch, channels, samples] float32
 * and back. All other nodes are the file's own, byte for byte.
 */
export function runGraph(view: GraphView, values: ModelValues, sites: readonly OnnxSite[], lengthAxis: number, fixedLength: boolean): ModelGraph {
  const { structure, bytes } = view.file;
  const { graph } = structure;
  const b = new GraphBuilder([...view.producers.keys(), ...view.initializers.keys(), ...graph.inputs.map(({ name }) => name), ...sites.map(({ id }) => filterInputName(id))]);
  const replaced = new Map(sites.map((site) => [view.producers.get(site.y.value)!, site]));
  for (const node of view.nodes) {
    const site = replaced.get(node);
    const size = fixedLength ? values.knownSize(node.outputs[0]) : undefined;
    const cast = values.castOf(node);
    if (site) emitSite(b, site, view.opset);
    // What only asks for a shape or a type must not keep the transforms alive that a site replaces.
    else if (size) b.initializers.push({ name: node.outputs[0], dims: size.dims, dataType: size.dataType, rawData: new Uint8Array(BigInt64Array.from(size.int64Data!, (n) => BigInt(Number(n))).buffer) });
    else b.append(cast ?? decoded(view.encoded(node)));
  }
  const message = ({ start, end }: { start: number; end: number }): onnx.ValueInfoProto => onnx.ValueInfoProto.decode(bytes.bytes(start, end));
  const filterInputs = sites.map(({ id }): onnx.IValueInfoProto => ({ name: filterInputName(id), type: { tensorType: { elemType: ElementType.FLOAT } } }));
  const feeds = view.feeds.map((value): GraphFeed => {
    const type = DENSE_TYPES[value.elementType]?.type;
    if (!type) throw new UserError(`The input "${value.name}" of ${view.file.path} is of a type that cannot be fed here.`);
    return { name: value.name, type, dims: (value.dimensions ?? []).map((dim, axis) => (typeof dim === 'number' ? dim : axis === 0 ? 'batch' : 'length')) };
  });
  const known = new Set(graph.inputs.map(({ name }) => name));
  const valueInfo = [...view.producers.keys()].flatMap((name): onnx.IValueInfoProto[] => {
    const elementType = elementTypeNamed(values.type(name));
    return known.has(name) || elementType === undefined ? [] : [{ name, type: { tensorType: { elemType: elementType } } }];
  });
  const [first] = feeds;
  return {
    model: {
      irVersion: structure.irVersion,
      opsetImport: [...[...structure.opsets].map(([domain, version]) => ({ domain, version })), { domain: LONG_CONV_DOMAIN, version: LONG_CONV_OPSET_VERSION }],
      functions: [...structure.functions.map(({ span }) => decodedFunction(bytes.bytes(span.start, span.end))), longConvFunction()],
      graph: {
        name: graph.name || 'model', node: b.nodes, valueInfo,
        initializer: [...[...view.initializers.values()].map((tensor) => initializer(view, tensor)), ...b.initializers],
        sparseInitializer: [...graph.sparse.values()].map((span) => onnx.SparseTensorProto.decode(bytes.bytes(span.start, span.end))),
        input: [...graph.inputs.map(({ span }) => message(span)), ...filterInputs], output: graph.outputs.map(({ span }) => message(span)),
      },
    },
    input: { name: first?.name ?? '', kind: first?.type === 'int64' || first?.type === 'int32' ? 'tokens' : 'float', lengthAxis },
    output: graph.outputs[0]?.name ?? '',
    feeds,
    siteLengths: new Map(sites.map(({ id, u, tail }) => [id, u.dims[u.timeAxis] + tail])),
  };
}

function decoded(bytes: Uint8Array): onnx.INodeProto {
  return encodedAs(onnx.NodeProto.decode(bytes) as onnx.INodeProto, bytes);
}

function decodedFunction(bytes: Uint8Array): onnx.IFunctionProto {
  return encodedAs(onnx.FunctionProto.decode(bytes) as onnx.IFunctionProto, bytes);
}

/** Of an element type as ONNX Runtime names it. */
function elementTypeNamed(name: string | undefined): number | undefined {
  return Object.entries(DENSE_TYPES).map(([key, value]) => [Number(key), value?.type] as const).find(([, type]) => type === name)?.[0];
}

function initializer(view: GraphView, tensor: OnnxTensor): onnx.ITensorProto {
  if (!DENSE_TYPES[tensor.type]) {
    const bytes = encodedTensor(view, tensor);
    return encodedAs(onnx.TensorProto.decode(bytes) as onnx.ITensorProto, bytes);
  }
  return { name: tensor.name, dims: [...tensor.dims], dataType: tensor.type, rawData: view.file.tensorBytes(tensor) };
}

/** Nodes that compute y from u by a LongConv. */
function emitSite(b: GraphBuilder, site: OnnxSite, opset: number): void {
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
  let v = addLongConv(b, { site: id, mode: site.direction, u: x, k: filterInputName(id) }, 2 * (u.dims[u.timeAxis] + tail));
  if (site.scale !== 1) v = node('Mul', [v, b.floats(`${id}/scale`, [], Float32Array.of(site.scale))]);
  if (site.bias) {
    const bias = u.type === 'float32' ? site.bias : node('Cast', [site.bias], { to: int(ElementType.FLOAT) });
    v = node('Add', [v, reshape(bias, [channels, 1])]);
  }
  const samples = y.dims[y.timeAxis];
  if (samples < u.dims[u.timeAxis] + tail) v = slice(b, id, v, samples, opset);
  if (y.type !== 'float32') v = node('Cast', [v], { to: int(elementTypeNamed(y.type)!) });
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
