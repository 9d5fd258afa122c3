import { ElementType, GraphBuilder, tensorType } from '../../graph/builder';
import { DENSE_TYPES, type DenseType, elementTypeNamed, elementTypeOf } from '../../graph/dense-sessions';
import { encodedAs } from '../../graph/encode-model';
import { addLongConv, LONG_CONV_OPSET_VERSION, longConvFunction } from '../../graph/long-conv-op';
import { filterInputName, type GraphFeed, LONG_CONV_DOMAIN, type ModelGraph } from '../../graph/model-graph';
import { onnx } from '../../graph/onnx';
import { UserError } from '../../errors';
import type { OnnxTensor } from '../../formats/onnx/structure';
import { capturedBy, type GraphView } from './graph-view';
import type { ModelValues } from './model-values';
import { emitSite } from './emit-site';
import type { OnnxSite } from './site';
import { encodedTensor } from './submodel';

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
    if (site) emitSite(b, site, view.opset, (u) => addLongConv(b, { site: site.id, mode: site.direction, u, k: filterInputName(site.id) }, 2 * (site.u.dims[site.u.timeAxis] + site.tail)));
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
  // Tensors that no node reads any more may be most of the file.
  const replacing = [...replaced.values()].flatMap(({ u, bias }) => (bias === undefined ? [u.value] : [u.value, bias]));
  const read = new Set([...graph.outputs.map(({ name }) => name), ...replacing, ...view.nodes.filter((node) => !replaced.has(node)).flatMap((node) => [...node.inputs, ...capturedBy(node)])]);
  return {
    model: {
      irVersion: structure.irVersion,
      opsetImport: [...[...structure.opsets].map(([domain, version]) => ({ domain, version })), { domain: LONG_CONV_DOMAIN, version: LONG_CONV_OPSET_VERSION }],
      functions: [...structure.functions.map(({ span }) => decodedFunction(bytes.bytes(span.start, span.end))), longConvFunction()],
      graph: {
        name: graph.name || 'model', node: b.nodes, valueInfo,
        initializer: [...[...view.initializers.values()].filter(({ name }) => read.has(name)).map((tensor) => initializer(view, tensor)), ...b.initializers],
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

/** One site alone: its input (and bias) is what goes in, its result what comes out. */
export function siteGraph(view: GraphView, site: OnnxSite): ModelGraph {
  const { id, u, y, bias, channels, tail } = site;
  const b = new GraphBuilder([u.value, y.value, filterInputName(id), ...(bias === undefined ? [] : [bias])]);
  const samples = u.dims[u.timeAxis] + tail;
  emitSite(b, site, view.opset, (x) => addLongConv(b, { site: id, mode: site.direction, u: x, k: filterInputName(id) }, 2 * samples));
  const type = u.type as DenseType;
  const feeds: GraphFeed[] = [{ name: u.value, type, dims: u.trailing ? [...u.dims, 1] : u.dims }, ...(bias === undefined ? [] : [{ name: bias, type, dims: [channels] }])];
  const declared = (name: string, elementType: number, dims?: readonly number[]): onnx.IValueInfoProto => ({ name, type: tensorType(elementType, dims) });
  return {
    model: {
      irVersion: view.file.structure.irVersion,
      opsetImport: [{ domain: '', version: view.opset }, { domain: LONG_CONV_DOMAIN, version: LONG_CONV_OPSET_VERSION }],
      graph: {
        name: id, node: b.nodes, initializer: b.initializers, output: [declared(y.value, elementTypeOf(y.type as DenseType))],
        input: [...feeds.map(({ name, dims }) => declared(name, elementTypeOf(type), dims as number[])), declared(filterInputName(id), ElementType.FLOAT)],
      },
    },
    input: { name: u.value, kind: 'float', lengthAxis: u.timeAxis },
    output: y.value,
    feeds,
    siteLengths: new Map([[id, samples]]),
  };
}

function decoded(bytes: Uint8Array): onnx.INodeProto {
  return encodedAs(onnx.NodeProto.decode(bytes) as onnx.INodeProto, bytes);
}

function decodedFunction(bytes: Uint8Array): onnx.IFunctionProto {
  return encodedAs(onnx.FunctionProto.decode(bytes) as onnx.IFunctionProto, bytes);
}

function initializer(view: GraphView, tensor: OnnxTensor): onnx.ITensorProto {
  if (!DENSE_TYPES[tensor.type]) {
    const bytes = encodedTensor(view, tensor);
    return encodedAs(onnx.TensorProto.decode(bytes) as onnx.ITensorProto, bytes);
  }
  return { name: tensor.name, dims: [...tensor.dims], dataType: tensor.type, rawData: view.file.tensorBytes(tensor) };
}
