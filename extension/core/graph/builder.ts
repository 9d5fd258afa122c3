import { onnx } from './onnx';

/** ONNX operator-set version of every graph we build: the first with LayerNormalization and DFT, read by ONNX Runtime 1.12 and later. */
export const OPSET_VERSION = 17;
/** File-format version: the first with model-local functions. */
export const IR_VERSION = 8;

export const ElementType = onnx.TensorProto.DataType;

/** A dimension: a number, or the name of a length that is known only when the model runs. */
export type Dimension = number | string;
export type Attribute = Omit<onnx.IAttributeProto, 'name'>;

export const int = (value: number): Attribute => ({ type: onnx.AttributeProto.AttributeType.INT, i: value });
export const ints = (values: readonly number[]): Attribute => ({ type: onnx.AttributeProto.AttributeType.INTS, ints: [...values] });
export const float = (value: number): Attribute => ({ type: onnx.AttributeProto.AttributeType.FLOAT, f: value });
export const text = (value: string): Attribute => ({ type: onnx.AttributeProto.AttributeType.STRING, s: Buffer.from(value, 'utf8') });
export const tensor = (value: onnx.ITensorProto): Attribute => ({ type: onnx.AttributeProto.AttributeType.TENSOR, t: value });
/** Inside a function body: the int attribute `parameter` of the calling node. */
export const intParameter = (parameter: string): Attribute => ({ type: onnx.AttributeProto.AttributeType.INT, refAttrName: parameter });

/** Tensor type with optional shape, as inputs and outputs declare it. */
export function tensorType(elementType: number, dimensions?: readonly Dimension[]): onnx.ITypeProto {
  const dim = dimensions?.map((d) => (typeof d === 'number' ? { dimValue: d } : { dimParam: d }));
  return { tensorType: { elemType: elementType, ...(dim ? { shape: { dim } } : {}) } };
}

/** A float32 tensor whose payload is the array's own bytes (no copy; ONNX stores little-endian, as every platform we run on does). */
export function floatTensor(name: string, dimensions: readonly number[], data: Float32Array): onnx.ITensorProto {
  const count = dimensions.reduce((a, b) => a * b, 1);
  if (count !== data.length) throw new Error(`Tensor ${name} has ${data.length} values for shape [${dimensions.join(', ')}].`);
  const rawData = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return { name, dims: [...dimensions], dataType: ElementType.FLOAT, rawData };
}

export interface NodeOptions {
  readonly attributes?: Readonly<Record<string, Attribute>>;
  readonly domain?: string;
  /** Number of outputs, or their exact names; 1 by default. */
  readonly outputs?: number | readonly string[];
}

/**
 * Collects nodes, initializers, inputs and outputs of one ONNX graph (or function body) and keeps every value name unique.
 * Nodes must be added in an order in which each uses only what is there already, as ONNX wants it.
 */
export class GraphBuilder {
  readonly nodes: onnx.INodeProto[] = [];
  readonly initializers: onnx.ITensorProto[] = [];
  readonly inputs: onnx.IValueInfoProto[] = [];
  readonly outputs: onnx.IValueInfoProto[] = [];
  private readonly names: Set<string>;
  private readonly nodeNames: Set<string>;
  private readonly integerConstants = new Map<string, string>();

  /** `taken`, `takenNodes`: names of values and nodes that exist already, when nodes are added to an existing graph. */
  constructor(taken: Iterable<string> = [], takenNodes: Iterable<string> = []) {
    this.names = new Set(taken);
    this.nodeNames = new Set(takenNodes);
  }

  input(name: string, elementType: number, dimensions?: readonly Dimension[]): string {
    this.inputs.push({ name: this.claim(name), type: tensorType(elementType, dimensions) });
    return name;
  }

  /** Declares an existing value as graph output. */
  output(name: string, elementType: number, dimensions?: readonly Dimension[]): void {
    this.outputs.push({ name, type: tensorType(elementType, dimensions) });
  }

  /** Adds a float32 initializer under exactly this name. */
  floats(name: string, dimensions: readonly number[], data: Float32Array): string {
    this.initializers.push(floatTensor(this.claim(name), dimensions, data));
    return name;
  }

  /** A float32 scalar constant. */
  scalar(scope: string, value: number): string {
    return this.node('Constant', scope, [], { attributes: { value_float: float(value) } });
  }

  /** A one-dimensional int64 constant; equal constants of the same scope are shared. */
  integers(scope: string, values: readonly number[]): string {
    const key = `${scope}|${values.join(',')}`;
    let name = this.integerConstants.get(key);
    if (name === undefined) {
      name = this.node('Constant', scope, [], { attributes: { value_ints: ints(values) } });
      this.integerConstants.set(key, name);
    }
    return name;
  }

  /** Adds a node named after `scope` and returns its first output. */
  node(opType: string, scope: string, inputs: readonly string[], options: NodeOptions = {}): string {
    return this.nodeWithOutputs(opType, scope, inputs, options)[0];
  }

  /** Adds a node named after `scope` and returns all its outputs. */
  nodeWithOutputs(opType: string, scope: string, inputs: readonly string[], options: NodeOptions = {}): string[] {
    const name = unique(`${scope}/${opType}`, this.nodeNames);
    const wanted = options.outputs ?? 1;
    const output = typeof wanted === 'number'
      ? Array.from({ length: wanted }, (_, i) => unique(i === 0 ? name : `${name}:${i}`, this.names))
      : wanted.map((value) => this.claim(value));
    const attribute = Object.entries(options.attributes ?? {}).map(([key, value]) => ({ name: key, ...value }));
    this.nodes.push({ opType, name, input: [...inputs], output, attribute, ...(options.domain ? { domain: options.domain } : {}) });
    return output;
  }

  /** Lets the newest node make the value `existing`, which other nodes read already, instead of `value`. */
  nameLast(value: string, existing: string): void {
    const last = this.nodes[this.nodes.length - 1];
    last.output = last.output!.map((name) => (name === value ? existing : name));
  }

  /** Takes a node of an existing graph as it is; its names were given as `taken`. */
  append(node: onnx.INodeProto): void {
    this.nodes.push(node);
  }

  graph(name: string): onnx.IGraphProto {
    return { name, node: this.nodes, initializer: this.initializers, input: this.inputs, output: this.outputs };
  }

  private claim(name: string): string {
    if (this.names.has(name)) throw new Error(`The value name "${name}" is used twice in one graph.`);
    this.names.add(name);
    return name;
  }
}

/** First of base, base_1, base_2 ... that is not taken; takes it. */
function unique(base: string, taken: Set<string>): string {
  let name = base;
  for (let i = 1; taken.has(name); i++) name = `${base}_${i}`;
  taken.add(name);
  return name;
}

/** Every node name of a graph. */
export const nodeNames = (graph: onnx.IGraphProto): string[] => (graph.node ?? []).map(({ name }) => name ?? '');

/** Every value name of a graph: inputs, initializers, node outputs. */
export function valueNames(graph: onnx.IGraphProto): Set<string> {
  const names = new Set<string>();
  for (const value of graph.input ?? []) names.add(value.name!);
  for (const value of graph.initializer ?? []) names.add(value.name!);
  for (const node of graph.node ?? []) for (const name of node.output ?? []) if (name) names.add(name);
  return names;
}
