import type { onnx } from '../graph/onnx';

/** Who makes and who reads the values of a graph. */
export class GraphUses {
  private readonly readers = new Map<string, onnx.INodeProto[]>();
  private readonly place = new Map<onnx.INodeProto, number>();
  private readonly makers = new Map<string, onnx.INodeProto>();

  constructor(nodes: readonly onnx.INodeProto[], private readonly output: string) {
    nodes.forEach((node, index) => {
      this.place.set(node, index);
      for (const name of new Set(node.input ?? [])) this.readers.set(name, [...(this.readers.get(name) ?? []), node]);
      for (const name of node.output ?? []) this.makers.set(name, node);
    });
  }

  /** The only node that reads the value, unless the value is also the graph's output. */
  onlyReader(name: string): onnx.INodeProto | undefined {
    const readers = this.readers.get(name) ?? [];
    return readers.length === 1 && name !== this.output ? readers[0] : undefined;
  }

  /** Whether the value is there when `node` runs: made by an earlier node, or given. */
  madeBefore(name: string, node: onnx.INodeProto): boolean {
    const maker = this.makers.get(name);
    return !maker || this.place.get(maker)! < this.place.get(node)!;
  }
}

/** The nodes that the output depends on, in their order. */
export function neededNodes(nodes: readonly onnx.INodeProto[], output: string): onnx.INodeProto[] {
  const needed = new Set([output]);
  const kept = [...nodes].reverse().filter((node) => {
    const wanted = (node.output ?? []).some((name) => needed.has(name));
    if (wanted) for (const name of node.input ?? []) needed.add(name);
    return wanted;
  });
  return kept.reverse();
}

const attribute = (node: onnx.INodeProto, name: string): onnx.IAttributeProto | undefined => node.attribute?.find((a) => a.name === name);

export function integerAttribute(node: onnx.INodeProto, name: string): number | undefined {
  const value = attribute(node, name);
  return value === undefined ? undefined : Number(value.i ?? 0);
}

export function integersAttribute(node: onnx.INodeProto, name: string): number[] | undefined {
  return attribute(node, name)?.ints?.map(Number);
}

export function floatAttribute(node: onnx.INodeProto, name: string): number | undefined {
  return attribute(node, name)?.f ?? undefined;
}

/** Whether a transposition swaps the last two axes and leaves the others. */
export function swapsLastTwo(order: readonly number[]): boolean {
  const rank = order.length;
  return rank >= 2 && order.every((axis, d) => axis === (d === rank - 2 ? rank - 1 : d === rank - 1 ? rank - 2 : d));
}
