import type { OnnxGraph, OnnxNode } from '../../formats/onnx/structure';
import { isDft, isInverse, isStandard } from './attributes';
import { isContribTransform } from './contrib-transforms';
import type { GraphView } from './graph-view';
import type { ModelValues } from './model-values';
import type { Finding } from './site';

/** Calls of functions that are looked into, all together: functions that call each other twice would never end. */
const MOST_CALLS = 10_000;
const DEEPEST = 64;

/** What is known of the values around a node: shapes of stored ones, and who makes the others of the same body. */
interface Surroundings {
  readonly shapes: ReadonlyMap<string, readonly number[]>;
  /** The operator whose body this is; undefined in the main graph. */
  readonly op?: string;
  readonly path: string;
  readonly depth: number;
}

/**
 * Long convolutions inside the bodies of If, Loop and Scan, in functions that are called there too. The graph cannot be cut inside a body
 * that runs any number of times, so they are only named. Kernels are recognised where they are stored, in the body or outside of it.
 */
export function subgraphFindings(view: GraphView, values: ModelValues, shortest: number): Finding[] {
  const findings: Finding[] = [];
  const functions = new Map(view.file.structure.functions.map((fn) => [functionKey(fn.domain, fn.name, fn.overload), fn]));
  let calls = 0;
  const visitInner = (node: OnnxNode, around: Surroundings): void => {
    if (around.depth > DEEPEST) return;
    const path = `${around.path}${node.name || node.outputs[0] || node.op}/`;
    for (const [attribute, { graphs }] of node.attributes) {
      for (const graph of graphs) visitNodes(graph.nodes, graph, { shapes: around.shapes, op: node.op, path: `${path}${attribute}/`, depth: around.depth + 1 });
    }
    const fn = functions.get(functionKey(node.domain, node.op, node.overload));
    if (!fn || ++calls > MOST_CALLS) return;
    const shapes = new Map(fn.inputs.flatMap((name, i) => { const shape = around.shapes.get(node.inputs[i]); return shape ? [[name, shape] as const] : []; }));
    visitNodes(fn.nodes, undefined, { shapes, op: around.op, path, depth: around.depth + 1 });
  };
  const visitNodes = (nodes: readonly OnnxNode[], graph: OnnxGraph | undefined, around: Surroundings): void => {
    const shapes = new Map(around.shapes);
    for (const { name, dimensions } of graph?.values.values() ?? []) if (dimensions?.every((dim) => typeof dim === 'number')) shapes.set(name, dimensions as number[]);
    for (const [name, { dims }] of graph?.initializers ?? []) shapes.set(name, dims);
    const producers = new Map(nodes.flatMap((node) => node.outputs.map((name) => [name, node] as const)));
    for (const node of nodes) {
      const stored = node.op === 'Constant' ? node.attributes.get('value')?.tensor : undefined;
      if (stored) shapes.set(node.outputs[0], stored.dims);
      const what = around.op === undefined ? undefined : longConvolution(node, shapes, producers, shortest);
      if (what) findings.push({ id: around.path + (node.name || node.outputs[0]), operator: node.op, reason: `${what} is inside the body of ${around.op === 'If' ? 'an' : 'a'} ${around.op}, where the graph cannot be cut` });
      visitInner(node, { ...around, shapes });
    }
  };
  const constants = [...view.initializers.keys(), ...view.producers.keys()].filter((name) => view.isConstant(name));
  const shapes = new Map(constants.flatMap((name) => { const shape = values.shape(name); return shape ? [[name, shape] as const] : []; }));
  for (const node of view.nodes) visitInner(node, { shapes, path: '', depth: 0 });
  return findings;
}

const functionKey = (domain: string, name: string, overload: string): string => JSON.stringify([domain, name, overload]);

/** In words; undefined where the node is none. */
function longConvolution(
  node: OnnxNode, shapes: ReadonlyMap<string, readonly number[]>, producers: ReadonlyMap<string, OnnxNode>, shortest: number,
): string | undefined {
  if (isStandard(node, 'Conv', 'ConvTranspose')) {
    const spatial = shapes.get(storedName(node.inputs[1], producers))?.slice(2) ?? node.attributes.get('kernel_shape')?.ints ?? [];
    const taps = Math.max(0, ...spatial);
    return taps >= shortest && spatial.filter((size) => size !== 1).length === 1 ? `a convolution of ${taps} taps` : undefined;
  }
  if (!(isDft(node) && isInverse(node)) && !(isContribTransform(node) && node.op === 'Irfft')) return undefined;
  // A transform of something stored, or a stored spectrum, that this inverse transform is made of.
  const pending = [node.inputs[0]];
  const seen = new Set<string>();
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    if (seen.has(name)) continue;
    seen.add(name);
    const shape = shapes.get(name);
    if (shape && shape.reduce((a, b) => a * b, 1) >= shortest && shape.some((size) => size >= shortest / 2)) return 'a convolution by transforms';
    pending.push(...(producers.get(name)?.inputs ?? []));
  }
  return undefined;
}

/** Where a kernel is stored, through nodes that only reshape or flip it. */
function storedName(name: string, producers: ReadonlyMap<string, OnnxNode>): string {
  for (let at = name, steps = 0; steps < 16; steps++) {
    const node = producers.get(at);
    if (!node || !['Identity', 'Unsqueeze', 'Squeeze', 'Reshape', 'Slice', 'Transpose', 'Cast'].includes(node.op)) return at;
    at = node.inputs[0];
  }
  return name;
}
