import { UserError } from '../errors';
import { tensorType } from './builder';
import { inferElementTypes } from './element-types';
import { isLongConv, type LongConvNode, readLongConv } from './long-conv-op';
import { LONG_CONV_DOMAIN, type ModelGraph } from './model-graph';
import type { onnx } from './onnx';

/** A connected-by-time piece of the graph in standard operators, a model of its own. */
export interface DenseStep {
  readonly kind: 'dense';
  readonly model: onnx.IModelProto;
  /** Values it needs, and values that somebody needs from it. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Values nobody needs once this step has run. */
  readonly release: readonly string[];
}

export interface ConvolutionStep {
  readonly kind: 'convolution';
  readonly node: LongConvNode;
  readonly release: readonly string[];
}

export type Step = DenseStep | ConvolutionStep;

export interface GraphPartition {
  /** In execution order. */
  readonly steps: readonly Step[];
  /** Graph inputs that a run must feed (the filters, which go to the kernels, and weights on disk are not among them). */
  readonly inputs: readonly string[];
  /** Outputs of the graph; never released. */
  readonly outputs: readonly string[];
  /** Initializers that a convolution or the graph's output reads directly. */
  readonly constants: ReadonlyMap<string, onnx.ITensorProto>;
}

/**
 * Cuts a graph at its LongConv nodes (and at the values that it names itself). Every node gets a stage: 0 at first, one more than the stage of any convolution it follows.
 * All dense nodes of a stage form one piece, which runs before the stage's convolutions; so there are as few pieces as the
 * longest chain of convolutions allows. Nodes that no output needs are left out.
 * Throws UserError for a LongConv inside a subgraph (If, Loop, Scan).
 */
export function partition(graph: ModelGraph): GraphPartition {
  const g = graph.model.graph!;
  const outputs = (g.output ?? []).map((value) => value.name!);
  const initializers = new Map((g.initializer ?? []).map((value) => [value.name!, value]));
  const nodes = neededNodes(g, outputs);
  const stages = stageOf(nodes, new Set(graph.cuts));
  if (graph.stored) sinkToReaders(nodes, stages, new Set(graph.stored.keys()));
  const filterInputs = new Set<string>();
  const groups: { dense: onnx.INodeProto[]; convolutions: LongConvNode[] }[] = [];
  for (const node of nodes) {
    const group = (groups[stages.get(node)!] ??= { dense: [], convolutions: [] });
    if (isLongConv(node)) {
      const convolution = readLongConv(node);
      filterInputs.add(convolution.k);
      group.convolutions.push(convolution);
    } else {
      group.dense.push(node);
    }
  }

  const drafts: Draft[] = [];
  for (const { dense, convolutions } of groups) {
    if (dense.length) drafts.push({ dense, reads: externalReads(dense), writes: dense.flatMap(namedOutputs) });
    for (const node of convolutions) drafts.push({ node, reads: convolutionReads(node), writes: [node.output] });
  }
  const uses = lastUses(drafts, outputs);
  const types = inferElementTypes(g);
  const steps = drafts.map((draft, index): Step => {
    const touched = [...draft.reads, ...draft.writes].filter((name) => !initializers.has(name));
    const release = [...new Set(touched)].filter((name) => uses.get(name) === index);
    if (draft.node) return { kind: 'convolution', node: draft.node, release };
    const wanted = draft.writes.filter((name) => uses.get(name)! > index);
    const inputs = draft.reads.filter((name) => !initializers.has(name));
    const model = pieceModel(graph.model, draft, inputs, wanted, initializers, types);
    return { kind: 'dense', model, inputs, outputs: wanted, release: release.filter((name) => !draft.writes.includes(name)) };
  });

  const direct = [...outputs, ...drafts.filter(({ node }) => node).flatMap(({ reads }) => reads)];
  const constants = new Map(direct.filter((name) => initializers.has(name)).map((name) => [name, initializers.get(name)!]));
  const read = new Set([...outputs, ...drafts.flatMap((draft) => draft.reads)]);
  const inputs = (g.input ?? []).map((value) => value.name!).filter((name) => read.has(name) && !initializers.has(name) && !graph.stored?.has(name));
  return { steps, inputs, outputs, constants };
}

/** A step before it is known who needs its results. */
interface Draft {
  readonly dense?: readonly onnx.INodeProto[];
  readonly node?: LongConvNode;
  readonly reads: readonly string[];
  readonly writes: readonly string[];
}

const namedOutputs = (node: onnx.INodeProto): string[] => (node.output ?? []).filter((name) => name !== '');

const convolutionReads = ({ u, skip, preGate, postGate }: LongConvNode): string[] =>
  [...new Set([u, skip, preGate, postGate].filter((name) => name !== undefined))];

/** Values a node reads, those its subgraphs take from outside included. */
function nodeReads(node: onnx.INodeProto): string[] {
  const reads = (node.input ?? []).filter((name) => name !== '');
  for (const { g, graphs } of node.attribute ?? []) {
    for (const subgraph of [...(g ? [g] : []), ...(graphs ?? [])]) {
      if ((subgraph.node ?? []).some(isLongConv)) {
        throw new UserError(`The graph has a long convolution inside a subgraph of its node "${node.name}", where it cannot be cut out.`);
      }
      const own = new Set((subgraph.input ?? []).map((value) => value.name!));
      for (const value of subgraph.initializer ?? []) own.add(value.name!);
      for (const inner of subgraph.node ?? []) {
        reads.push(...nodeReads(inner).filter((name) => !own.has(name)));
        namedOutputs(inner).forEach((name) => own.add(name));
      }
      reads.push(...(subgraph.output ?? []).map((value) => value.name!).filter((name) => !own.has(name)));
    }
  }
  return reads;
}

function neededNodes(g: onnx.IGraphProto, outputs: readonly string[]): onnx.INodeProto[] {
  const needed = new Set(outputs);
  const nodes: onnx.INodeProto[] = [];
  for (const node of [...(g.node ?? [])].reverse()) {
    if (!namedOutputs(node).some((name) => needed.has(name))) continue;
    nodes.push(node);
    nodeReads(node).forEach((name) => needed.add(name));
  }
  return nodes.reverse();
}

function stageOf(nodes: readonly onnx.INodeProto[], cuts: ReadonlySet<string>): Map<onnx.INodeProto, number> {
  const stages = new Map<onnx.INodeProto, number>();
  /** Stage at which a value can first be read; graph inputs and initializers: 0. */
  const ready = new Map<string, number>();
  for (const node of nodes) {
    const stage = Math.max(0, ...nodeReads(node).map((name) => ready.get(name) ?? 0));
    stages.set(node, stage);
    for (const name of namedOutputs(node)) ready.set(name, isLongConv(node) || cuts.has(name) ? stage + 1 : stage);
  }
  return stages;
}

/** Moves nodes that need nothing but weights on disk to the first stage that reads their results: before it, nobody should load those weights. */
function sinkToReaders(nodes: readonly onnx.INodeProto[], stages: Map<onnx.INodeProto, number>, stored: ReadonlySet<string>): void {
  const fromWeights = new Set(stored);
  for (const node of nodes) {
    const reads = nodeReads(node);
    if (reads.length > 0 && reads.every((name) => fromWeights.has(name))) namedOutputs(node).forEach((name) => fromWeights.add(name));
  }
  const firstRead = new Map<string, number>();
  for (const node of [...nodes].reverse()) {
    const made = namedOutputs(node);
    if (made.some((name) => fromWeights.has(name))) stages.set(node, Math.min(...made.map((name) => firstRead.get(name) ?? Infinity).filter(Number.isFinite)));
    for (const name of nodeReads(node)) firstRead.set(name, Math.min(firstRead.get(name) ?? Infinity, stages.get(node)!));
  }
}

/** Values that a list of nodes reads and does not make itself. */
function externalReads(nodes: readonly onnx.INodeProto[]): string[] {
  const made = new Set(nodes.flatMap(namedOutputs));
  return [...new Set(nodes.flatMap(nodeReads))].filter((name) => !made.has(name));
}

/** Index of the last step that touches a value; outputs of the graph are needed after the last step. */
function lastUses(drafts: readonly Draft[], outputs: readonly string[]): Map<string, number> {
  const uses = new Map<string, number>();
  drafts.forEach(({ reads, writes }, index) => [...writes, ...reads].forEach((name) => uses.set(name, index)));
  outputs.forEach((name) => uses.set(name, drafts.length));
  return uses;
}

function pieceModel(
  whole: onnx.IModelProto, piece: Draft, inputs: readonly string[], outputs: readonly string[],
  initializers: ReadonlyMap<string, onnx.ITensorProto>, types: ReadonlyMap<string, number>,
): onnx.IModelProto {
  const declare = (name: string): onnx.IValueInfoProto => ({ name, type: tensorType(types.get(name)!) });
  return {
    irVersion: whole.irVersion,
    opsetImport: whole.opsetImport?.filter(({ domain }) => domain !== LONG_CONV_DOMAIN),
    functions: whole.functions?.filter(({ domain }) => domain !== LONG_CONV_DOMAIN),
    graph: {
      name: 'piece',
      node: [...piece.dense!],
      initializer: piece.reads.filter((name) => initializers.has(name)).map((name) => initializers.get(name)!),
      input: inputs.map(declare),
      output: outputs.map(declare),
    },
  };
}
