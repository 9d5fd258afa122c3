import type { OnnxGraph, OnnxNode } from '../../formats/onnx/structure';
import { isDft, isInverse, isStandard } from './attributes';
import type { GraphView } from './graph-view';
import type { Finding } from './site';

/**
 * Long convolutions inside the bodies of If, Loop and Scan. The graph cannot be cut inside a body that runs any number of times, so they
 * are only named. Kernels are recognised where they are stored, in the body or outside of it.
 */
export function subgraphFindings(view: GraphView, shortest: number): Finding[] {
  const findings: Finding[] = [];
  const visit = (node: OnnxNode, path: string, known: ReadonlyMap<string, readonly number[]>): void => {
    for (const [attribute, { graphs }] of node.attributes) {
      for (const graph of graphs) visitBody(graph, `${path}${node.name || node.outputs[0] || node.op}/${attribute}/`, node.op, known);
    }
  };
  const visitBody = (graph: OnnxGraph, path: string, op: string, outer: ReadonlyMap<string, readonly number[]>): void => {
    const shapes = new Map(outer);
    for (const [name, { dims }] of graph.initializers) shapes.set(name, dims);
    const producers = new Map(graph.nodes.flatMap((node) => node.outputs.map((name) => [name, node] as const)));
    for (const node of graph.nodes) {
      const stored = node.op === 'Constant' ? node.attributes.get('value')?.tensor : undefined;
      if (stored) shapes.set(node.outputs[0], stored.dims);
      const what = longConvolution(node, shapes, producers, shortest);
      if (what) findings.push({ id: path + (node.name || node.outputs[0]), operator: node.op, reason: `${what} is inside the body of a ${op}, where the graph cannot be cut` });
      visit(node, path, shapes);
    }
  };
  const outer = new Map([...view.initializers].map(([name, { dims }]) => [name, dims]));
  for (const node of view.nodes) {
    const stored = node.op === 'Constant' ? node.attributes.get('value')?.tensor : undefined;
    if (stored) outer.set(node.outputs[0], stored.dims);
    visit(node, '', outer);
  }
  return findings;
}

/** In words; undefined where the node is none. */
function longConvolution(
  node: OnnxNode, shapes: ReadonlyMap<string, readonly number[]>, producers: ReadonlyMap<string, OnnxNode>, shortest: number,
): string | undefined {
  if (isStandard(node, 'Conv', 'ConvTranspose')) {
    const kernel = shapes.get(storedName(node.inputs[1], producers));
    const taps = Math.max(0, ...(kernel?.slice(2) ?? []));
    return taps >= shortest && kernel!.slice(2).filter((size) => size !== 1).length === 1 ? `a convolution of ${taps} taps` : undefined;
  }
  if (!isDft(node) || !isInverse(node)) return undefined;
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
