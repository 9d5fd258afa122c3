import type { OnnxFile } from '../../formats/onnx/read';
import type { OnnxGraph, OnnxNode, OnnxTensor } from '../../formats/onnx/structure';
import { withStandardTransforms } from './contrib-transforms';
import { inlineFunctions } from './inline';

/** One use of a value: input number `input` of a node; -1 where a subgraph of the node takes it from outside. */
export interface Use { readonly node: OnnxNode; readonly input: number }

/** What a value depends on. */
export const enum ValueKind {
  /** Constants only. */
  Constant = 0,
  /** Constants, and shapes of other values. */
  ShapeOnly = 1,
  /** The model's input, or chance. */
  Dynamic = 2,
}

const RANDOM = new Set(['RandomNormal', 'RandomNormalLike', 'RandomUniform', 'RandomUniformLike', 'Multinomial', 'Bernoulli']);

/** The main graph of a model as analysis sees it: calls of model-local functions replaced by their bodies, where that may matter. */
export class GraphView {
  readonly nodes: readonly OnnxNode[];
  readonly producers = new Map<string, OnnxNode>();
  readonly uses = new Map<string, Use[]>();
  readonly outputs: ReadonlySet<string>;
  private readonly kinds = new Map<string, ValueKind>();
  private readonly graphInputs: ReadonlySet<string>;

  constructor(readonly file: OnnxFile) {
    const { graph, irVersion } = file.structure;
    this.nodes = withStandardTransforms(inlineFunctions(file), this.opset);
    this.outputs = new Set(graph.outputs.map(({ name }) => name));
    // Up to format version 3 every initializer had to be an input too; later that means that a caller may replace it.
    const replaceable = (name: string): boolean => irVersion >= 4 || !graph.initializers.has(name);
    this.graphInputs = new Set(graph.inputs.map(({ name }) => name).filter(replaceable));
    for (const node of this.nodes) {
      node.outputs.forEach((name) => { if (name) this.producers.set(name, node); });
      node.inputs.forEach((name, input) => { if (name) this.addUse(name, { node, input }); });
      for (const name of capturedBy(node)) this.addUse(name, { node, input: -1 });
    }
    for (const name of this.initializers.keys()) this.kinds.set(name, this.graphInputs.has(name) ? ValueKind.Dynamic : ValueKind.Constant);
    for (const name of graph.sparse.keys()) this.kinds.set(name, ValueKind.Constant);
    for (const name of this.graphInputs) this.kinds.set(name, ValueKind.Dynamic);
    for (const node of this.nodes) {
      const kind = this.nodeKind(node);
      node.outputs.forEach((name) => { if (name) this.kinds.set(name, kind); });
    }
  }

  get initializers(): ReadonlyMap<string, OnnxTensor> {
    return this.file.structure.graph.initializers;
  }

  /** Operator set version of the standard operators. */
  get opset(): number {
    return this.file.structure.opsets.get('') ?? 0;
  }

  /** Inputs that a run must feed. */
  get feeds(): OnnxGraph['inputs'] {
    const { inputs, initializers } = this.file.structure.graph;
    return inputs.filter(({ name }) => !initializers.has(name));
  }

  kind(value: string): ValueKind {
    return this.kinds.get(value) ?? ValueKind.Dynamic;
  }

  isConstant(value: string | undefined): value is string {
    return value !== undefined && value !== '' && this.kind(value) !== ValueKind.Dynamic;
  }

  /** The only use of a value; undefined where it has several, or is an output of the model. */
  onlyUse(value: string): Use | undefined {
    const uses = this.uses.get(value) ?? [];
    return uses.length === 1 && uses[0].input >= 0 && !this.outputs.has(value) ? uses[0] : undefined;
  }

  /** A node as it is encoded. */
  encoded(node: OnnxNode): Uint8Array {
    return node.rewritten ? node.rewritten.encode() : this.file.bytes.bytes(node.span.start, node.span.end);
  }

  private addUse(name: string, use: Use): void {
    const list = this.uses.get(name);
    if (list) list.push(use);
    else this.uses.set(name, [use]);
  }

  private nodeKind(node: OnnxNode): ValueKind {
    const { op, domain, inputs } = node;
    const standard = domain === '';
    if (standard && op === 'Constant') return ValueKind.Constant;
    // Of the second operand only the type counts.
    if (standard && op === 'CastLike') return this.kind(inputs[0]);
    const kind = [...inputs, ...capturedBy(node)].reduce<ValueKind>((most, name) => (name ? Math.max(most, this.kind(name)) : most), ValueKind.Constant);
    if (standard && (op === 'Shape' || op === 'Size')) return Math.min(kind, ValueKind.ShapeOnly);
    const hasBody = [...node.attributes.values()].some(({ graphs }) => graphs.length > 0);
    if (hasBody || (standard && RANDOM.has(op)) || (standard && op === 'Dropout' && inputs[2])) return ValueKind.Dynamic;
    // An operator of another domain without inputs may be anything, a random source included.
    return !standard && inputs.length === 0 ? ValueKind.Dynamic : kind;
  }
}

/** Values that the subgraphs of a node take from outside. */
export function capturedBy(node: OnnxNode): string[] {
  const captured: string[] = [];
  for (const { graphs } of node.attributes.values()) for (const graph of graphs) captured.push(...freeValues(graph));
  return captured;
}

function freeValues(graph: OnnxGraph): string[] {
  const own = new Set([...graph.inputs.map(({ name }) => name), ...graph.initializers.keys(), ...graph.sparse.keys()]);
  const free: string[] = [];
  for (const node of graph.nodes) {
    for (const name of [...node.inputs, ...capturedBy(node)]) if (name && !own.has(name)) free.push(name);
    node.outputs.forEach((name) => own.add(name));
  }
  for (const { name } of graph.outputs) if (!own.has(name)) free.push(name);
  return free;
}
