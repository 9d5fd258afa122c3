import { encodeField, encodeHeader } from '../../formats/onnx/splice';
import type { OnnxNode, OnnxTensor } from '../../formats/onnx/structure';
import { tensorType } from '../../graph/builder';
import { onnx } from '../../graph/onnx';
import { capturedBy, type GraphView } from './graph-view';

export interface SubmodelRequest {
  readonly outputs: readonly string[];
  /** Values that are given from outside; what makes them is left out. */
  readonly inputs?: ReadonlyMap<string, { readonly type: number; readonly dims: readonly (number | string)[] }>;
  /** Values that are known: they become initializers. */
  readonly known?: ReadonlyMap<string, onnx.ITensorProto>;
  /** Declared shapes of the graph's own inputs. */
  readonly shapes?: ReadonlyMap<string, readonly number[]>;
  /** Initializers of more elements than this become inputs of their type and shape, for models that only tell shapes. */
  readonly largestInitializer?: number;
  /** Encoded nodes that stand in for a node. */
  readonly replacements?: ReadonlyMap<OnnxNode, readonly Uint8Array[]>;
}

/** A part of a model as a model of its own; its nodes are the file's, byte for byte. */
export interface Submodel {
  readonly bytes: Uint8Array;
  /** Inputs of the whole model that it needs. */
  readonly graphInputs: readonly string[];
}

/** The nodes that some values need, in order, and the values that none of them makes. */
export function neededFor(
  view: GraphView, outputs: readonly string[], given: { has(name: string): boolean }, typeOnly?: { has(node: OnnxNode): boolean },
): { nodes: OnnxNode[]; outside: Set<string> } {
  const needed = new Set<OnnxNode>();
  const outside = new Set<string>();
  const pending = [...outputs];
  const seen = new Set<string>();
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    if (seen.has(name) || name === '') continue;
    seen.add(name);
    const node = given.has(name) ? undefined : view.producers.get(name);
    if (!node) {
      outside.add(name);
      continue;
    }
    if (!needed.has(node)) {
      needed.add(node);
      pending.push(...(node.op === 'CastLike' && typeOnly?.has(node) ? [node.inputs[0]] : [...node.inputs, ...capturedBy(node)]));
    }
  }
  return { nodes: view.nodes.filter((node) => needed.has(node)), outside };
}

export function submodel(view: GraphView, { outputs, inputs = new Map(), known = new Map(), shapes, largestInitializer = Infinity, replacements }: SubmodelRequest): Submodel {
  const { structure, bytes } = view.file;
  const { nodes, outside } = neededFor(view, outputs, { has: (name) => inputs.has(name) || known.has(name) }, replacements);
  const parts: Uint8Array[] = [];
  const field = (number: number, content: Uint8Array): void => { parts.push(encodeHeader(number, content.length), content); };
  field(2, Buffer.from('part', 'utf8'));
  for (const node of nodes) for (const encoded of replacements?.get(node) ?? [view.encoded(node)]) field(1, encoded);
  const graphInputs: string[] = [];
  const declare = (name: string, type: number, dims?: readonly (number | string)[]): void => field(11, onnx.ValueInfoProto.encode({ name, type: tensorType(type, dims) }).finish());
  for (const name of outside) {
    const given = inputs.get(name);
    const value = known.get(name);
    const tensor = view.initializers.get(name);
    const sparse = structure.graph.sparse.get(name);
    if (given) declare(name, given.type, given.dims);
    else if (value) field(5, onnx.TensorProto.encode({ ...value, name }).finish());
    else if (tensor && elements(tensor) > largestInitializer) declare(name, tensor.type, tensor.dims);
    else if (tensor) field(5, encodedTensor(view, tensor));
    else if (sparse) field(15, bytes.bytes(sparse.start, sparse.end));
    else {
      const declared = structure.graph.inputs.find((input) => input.name === name);
      if (!declared) continue;
      graphInputs.push(name);
      if (shapes?.has(name)) declare(name, declared.elementType, shapes.get(name));
      else field(11, bytes.bytes(declared.span.start, declared.span.end));
    }
  }
  for (const name of outputs) field(12, onnx.ValueInfoProto.encode({ name }).finish());
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const functions = structure.functions.map(({ span }) => encodeField(25, bytes.bytes(span.start, span.end)));
  const opsets = structure.opsetFields.map(({ start, end }) => bytes.bytes(start, end));
  const head = onnx.ModelProto.encode({ irVersion: structure.irVersion }).finish();
  return { bytes: Buffer.concat([head, ...opsets, ...functions, encodeHeader(7, length), ...parts]), graphInputs };
}

const elements = ({ dims }: OnnxTensor): number => dims.reduce((product, dim) => product * dim, 1);

/** A tensor with its data inside, wherever the file keeps it. */
export function encodedTensor(view: GraphView, tensor: OnnxTensor): Uint8Array {
  const { file } = view;
  if (!tensor.external) return file.bytes.bytes(tensor.span.start, tensor.span.end);
  return onnx.TensorProto.encode({ name: tensor.name, dims: [...tensor.dims], dataType: tensor.type, rawData: file.tensorBytes(tensor) }).finish();
}
