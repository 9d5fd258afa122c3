import { UserError } from '../../errors';
import type { OnnxFile } from '../../formats/onnx/read';
import type { OnnxAttribute, OnnxFunction, OnnxNode } from '../../formats/onnx/structure';
import { onnx } from '../../graph/onnx';

/** Operators whose presence in a function makes its body interesting. */
const LOOKED_FOR = new Set(['DFT', 'Conv', 'ConvTranspose', 'Rfft', 'Irfft']);
const DEEPEST = 32;
const MOST_NODES = 200_000;

/**
 * The nodes of the main graph, with calls of model-local functions replaced by their bodies. Only in models where a function holds an
 * operator of a long convolution: elsewhere calls stay as they are. Values of a body get the call's name as a prefix.
 * Throws UserError where functions call each other without end or the result would be enormous.
 */
export function inlineFunctions(file: OnnxFile): readonly OnnxNode[] {
  const { graph, functions } = file.structure;
  const known = new Map(functions.map((fn) => [keyOf(fn.domain, fn.name, fn.overload), fn]));
  refuseEndless(file, known);
  if (!functions.some(({ nodes }) => nodes.some(({ op }) => LOOKED_FOR.has(op)))) return graph.nodes;
  const result: OnnxNode[] = [];
  let calls = 0;
  const add = (nodes: readonly OnnxNode[], scope: Scope | undefined): void => {
    for (const original of nodes) {
      const node = scope ? renamed(file, original, scope) : original;
      const fn = known.get(keyOf(node.domain, node.op, node.overload));
      if (!fn) {
        result.push(node);
        continue;
      }
      add(fn.nodes, callScope(fn, node, `${node.name || node.op}#${++calls}/`, scope?.call ?? original));
    }
  };
  add(graph.nodes, undefined);
  return result;
}

/** ONNX Runtime puts every function in the place of its calls, too, however many that become. Each function is looked at once. */
function refuseEndless(file: OnnxFile, known: ReadonlyMap<string, OnnxFunction>): void {
  const sizes = new Map<OnnxFunction, number>();
  const sizeOf = (nodes: readonly OnnxNode[], depth: number): number => {
    if (depth > DEEPEST) throw new UserError(`The functions of ${file.path} call each other more than ${DEEPEST} deep.`, 'Export the model again with its functions inlined.');
    let size = 0;
    for (const node of nodes) {
      const fn = known.get(keyOf(node.domain, node.op, node.overload));
      if (fn && !sizes.has(fn)) sizes.set(fn, sizeOf(fn.nodes, depth + 1));
      size += fn ? sizes.get(fn)! : 1;
      for (const { graphs } of node.attributes.values()) for (const { nodes: inner } of graphs) size += sizeOf(inner, depth);
      if (size > MOST_NODES) throw new UserError(`The functions of ${file.path} expand to more than ${MOST_NODES} nodes.`, 'Export the model again.');
    }
    return size;
  };
  sizeOf(file.structure.graph.nodes, 0);
}

const keyOf = (domain: string, name: string, overload: string): string => JSON.stringify([domain, name, overload]);

/** How names of a function's body are to be read at one call. */
interface Scope {
  readonly prefix: string;
  /** Inputs and outputs of the function, as the caller calls them. */
  readonly names: ReadonlyMap<string, string>;
  readonly attributes: ReadonlyMap<string, OnnxAttribute>;
  /** The call in the main graph. */
  readonly call: OnnxNode;
}

function callScope(fn: OnnxFunction, node: OnnxNode, prefix: string, call: OnnxNode): Scope {
  const names = new Map<string, string>();
  fn.inputs.forEach((name, i) => names.set(name, node.inputs[i] ?? ''));
  // An output that the caller leaves out still needs a name of its own.
  fn.outputs.forEach((name, i) => names.set(name, node.outputs[i] || prefix + name));
  return { prefix, names, attributes: new Map([...fn.defaults, ...node.attributes]), call };
}

const rename = (scope: Scope, name: string): string => (name === '' ? '' : (scope.names.get(name) ?? scope.prefix + name));

function renamed(file: OnnxFile, node: OnnxNode, scope: Scope): OnnxNode {
  const attributes = new Map<string, OnnxAttribute>();
  for (const [name, attribute] of node.attributes) {
    const given = attribute.reference === undefined ? attribute : scope.attributes.get(attribute.reference);
    if (given) attributes.set(name, given);
  }
  const inputs = node.inputs.map((name) => rename(scope, name));
  const outputs = node.outputs.map((name) => rename(scope, name));
  const encode = (): Uint8Array => {
    const message = onnx.NodeProto.decode(file.bytes.bytes(node.span.start, node.span.end));
    const encoded = onnx.NodeProto.encode(renameMessage(file, message, scope)).finish();
    // The field `overload`, which onnx-proto does not know.
    const overload = Buffer.from(node.overload, 'utf8');
    return overload.length === 0 ? encoded : Buffer.concat([encoded, Buffer.from([0x42, overload.length]), overload]);
  };
  return { ...node, name: `${scope.prefix}${node.name}`, inputs, outputs, attributes, rewritten: { encode, call: scope.call } };
}

function renameMessage(file: OnnxFile, node: onnx.INodeProto, scope: Scope): onnx.INodeProto {
  const attribute = (node.attribute ?? []).flatMap((given): onnx.IAttributeProto[] => {
    if (given.refAttrName) {
      const value = scope.attributes.get(given.refAttrName);
      if (!value) return [];
      return [{ ...onnx.AttributeProto.decode(file.bytes.bytes(value.span.start, value.span.end)), name: given.name }];
    }
    return [{ ...given, ...(given.g && { g: renameGraph(file, given.g, scope) }), graphs: (given.graphs ?? []).map((graph) => renameGraph(file, graph, scope)) }];
  });
  return {
    ...node,
    name: scope.prefix + (node.name ?? ''),
    input: (node.input ?? []).map((name) => rename(scope, name)),
    output: (node.output ?? []).map((name) => rename(scope, name)),
    attribute,
  };
}

/** Names of a subgraph of the body get the prefix too, which keeps them apart from the caller's. */
function renameGraph(file: OnnxFile, graph: onnx.IGraphProto, scope: Scope): onnx.IGraphProto {
  const value = (info: onnx.IValueInfoProto): onnx.IValueInfoProto => ({ ...info, name: rename(scope, info.name ?? '') });
  return {
    ...graph,
    input: graph.input?.map(value), output: graph.output?.map(value), valueInfo: graph.valueInfo?.map(value),
    initializer: graph.initializer?.map((tensor) => ({ ...tensor, name: rename(scope, tensor.name ?? '') })),
    node: graph.node?.map((node) => renameMessage(file, node, scope)),
  };
}
