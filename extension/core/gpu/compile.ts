import type { Activation, ElementwiseOperation } from '../engine/gpu';
import { UserError } from '../errors';
import { isLongConv, readLongConv } from '../graph/long-conv-op';
import type { ModelGraph } from '../graph/model-graph';
import type { onnx } from '../graph/onnx';
import { dimensions } from '../graph/tensor-data';
import { ACTIVATION_OP, recogniseActivations } from './activations';
import { constantTensors, integerValues } from './constants';
import type { GpuProgram, GpuStep, StepAction } from './program';
import { floatAttribute, GraphUses, integerAttribute, integersAttribute, neededNodes, swapsLastTwo } from './uses';

/**
 * Turns a model's graph into GPU operations. What belongs together becomes one: a matrix product with its bias, activation, residual sum
 * and transpositions, a short convolution with the split of its result. Throws UserError that names the first operator the GPU has not.
 */
export function compileForGpu(graph: ModelGraph): GpuProgram {
  const g = graph.model.graph!;
  const initializers = new Map((g.initializer ?? []).map((value) => [value.name!, value]));
  const nodes = neededNodes(recogniseActivations(g.node ?? [], initializers), graph.output);
  const constants = constantTensors(nodes, initializers);
  const drafts = new Compiler(nodes, constants, graph.output).compile();
  const read = new Set(drafts.flatMap(({ reads }) => reads));
  return {
    steps: withReleases(drafts, graph.output, constants),
    constants: new Map([...constants].filter(([name]) => read.has(name))),
    input: graph.input, output: graph.output,
  };
}

type Draft = Omit<GpuStep, 'release'> & StepAction;

const OPERATIONS: Readonly<Record<string, ElementwiseOperation>> = {
  Add: 'add', Sub: 'subtract', Mul: 'multiply', Div: 'divide', Pow: 'power', Max: 'maximum', Min: 'minimum', Neg: 'negate', Exp: 'exponential',
  Log: 'logarithm', Sqrt: 'square-root', Reciprocal: 'reciprocal', Erf: 'erf', Abs: 'absolute', Sin: 'sine', Cos: 'cosine',
};

class Compiler {
  private readonly drafts: Draft[] = [];
  private readonly done = new Set<onnx.INodeProto>();
  private readonly uses: GraphUses;
  /** Results of transpositions that the product which reads them does itself: name of the transposed value. */
  private readonly transposed = new Map<string, string>();

  constructor(private readonly nodes: readonly onnx.INodeProto[], private readonly constants: ReadonlyMap<string, onnx.ITensorProto>, output: string) {
    this.uses = new GraphUses(nodes, output);
  }

  compile(): Draft[] {
    for (const node of this.nodes) {
      if (!this.done.has(node)) this.add(node);
    }
    return this.drafts;
  }

  private add(node: onnx.INodeProto): void {
    const [x, second, third] = node.input ?? [];
    const output = node.output![0];
    if (isLongConv(node)) {
      const convolution = readLongConv(node);
      const { u, skip, preGate, postGate } = convolution;
      return this.push(node, { kind: 'convolution', node: convolution }, [u, skip, preGate, postGate], [convolution.output]);
    }
    if (node.domain) return this.refuse(node);
    switch (node.opType) {
      case 'Constant': return;
      case 'Identity': case 'Dropout': return this.push(node, { kind: 'alias', x, output }, [x], [output]);
      case ACTIVATION_OP: {
        const activation = Buffer.from(node.attribute![0].s!).toString('utf8') as Activation;
        return this.push(node, { kind: 'activate', activation, x, output }, [x], [output]);
      }
      case 'Gather':
        if (!this.isMatrix(x) || (integerAttribute(node, 'axis') ?? 0) !== 0) return this.refuse(node);
        return this.push(node, { kind: 'embedding', table: x, index: second, output }, [x, second], [output]);
      case 'LayerNormalization': {
        if ((integerAttribute(node, 'axis') ?? -1) !== -1 || node.output!.length > 1) return this.refuse(node);
        const epsilon = floatAttribute(node, 'epsilon') ?? 1e-5;
        return this.push(node, { kind: 'norm', x, scale: second, shift: third || undefined, epsilon, output }, [x, second, third], [output]);
      }
      case 'MatMul': return this.addMatMul(node);
      case 'Gemm': return this.addGemm(node);
      case 'Conv': return this.addDepthwise(node);
      case 'Transpose': return this.addTranspose(node);
      case 'Split': {
        const sizes = second ? this.integers(node, second) : integersAttribute(node, 'split');
        const outputs = node.output!;
        return this.push(node, { kind: 'split', x, axis: integerAttribute(node, 'axis') ?? 0, sizes, outputs }, [x], outputs);
      }
      case 'Unsqueeze': case 'Squeeze': {
        const axes = second ? this.integers(node, second) : integersAttribute(node, 'axes');
        return this.push(node, { kind: 'axes', x, insert: node.opType === 'Unsqueeze', axes, output }, [x], [output]);
      }
      default: {
        const operation = OPERATIONS[node.opType ?? ''];
        if (!operation || (node.input ?? []).length > 2) return this.refuse(node);
        return this.push(node, { kind: 'elementwise', operation, a: x, b: second || undefined, output }, [x, second], [output]);
      }
    }
  }

  private addTranspose(node: onnx.INodeProto): void {
    const [x] = node.input!, [output] = node.output!, order = integersAttribute(node, 'perm');
    if (this.readsTransposed(node)) {
      this.transposed.set(output, x);
      return;
    }
    this.push(node, { kind: 'transpose', x, order, output }, [x], [output]);
  }

  /** Whether the only reader of this transposition's result can as well read what it is given: products with a weight, short convolutions. */
  private readsTransposed(node: onnx.INodeProto): boolean {
    const [output] = node.output!, reader = this.uses.onlyReader(output);
    if (!reader || reader.input![0] !== output || !swapsLastTwo(integersAttribute(node, 'perm') ?? [])) return false;
    return (reader.opType === 'MatMul' && this.isMatrix(reader.input![1])) || (reader.opType === 'Conv' && !reader.domain);
  }

  private addMatMul(node: onnx.INodeProto): void {
    const [a, b] = node.input!;
    if (!this.isMatrix(b)) {
      return this.push(node, { kind: 'product', a, b, output: node.output![0] }, [a, b], [node.output![0]]);
    }
    const columns = dimensions(this.constants.get(b)!)[1];
    this.addLinear(node, { x: this.transposed.get(a) ?? a, weight: b, weightTransposed: false, transposedInput: this.transposed.has(a), columns });
  }

  private addGemm(node: onnx.INodeProto): void {
    const [a, b, c] = node.input!;
    const scaled = (floatAttribute(node, 'alpha') ?? 1) !== 1 || (floatAttribute(node, 'beta') ?? 1) !== 1;
    const weightTransposed = (integerAttribute(node, 'transB') ?? 0) !== 0;
    if (scaled || (integerAttribute(node, 'transA') ?? 0) !== 0 || !this.isMatrix(b)) return this.refuse(node);
    const columns = dimensions(this.constants.get(b)!)[weightTransposed ? 0 : 1];
    if (c && !this.isVector(c, columns)) return this.refuse(node);
    this.addLinear(node, { x: a, weight: b, weightTransposed, transposedInput: false, columns, bias: c || undefined });
  }

  /** Takes in what follows the product as far as one kernel does it all. */
  private addLinear(
    node: onnx.INodeProto,
    product: { x: string; weight: string; weightTransposed: boolean; transposedInput: boolean; columns: number; bias?: string },
  ): void {
    const { columns, ...rest } = product;
    let { bias } = product;
    let output = node.output![0];
    const take = (next: onnx.INodeProto): void => {
      this.done.add(next);
      output = next.output![0];
    };
    let next = this.uses.onlyReader(output);
    const added = next?.opType === 'Add' ? next.input!.find((name) => name !== output) : undefined;
    if (next && added && bias === undefined && this.isVector(added, columns)) {
      bias = added;
      take(next);
      next = this.uses.onlyReader(output);
    }
    let activation: Activation = 'none';
    if (next?.opType === ACTIVATION_OP) {
      activation = Buffer.from(next.attribute![0].s!).toString('utf8') as Activation;
      take(next);
      next = this.uses.onlyReader(output);
    }
    let transposedOutput = false;
    let residual: string | undefined;
    if (next?.opType === 'Transpose' && swapsLastTwo(integersAttribute(next, 'perm') ?? []) && !this.readsTransposed(next)) {
      transposedOutput = true;
      take(next);
    } else if (next?.opType === 'Add' && !next.input!.every((name) => name === output)) {
      const other = next.input!.find((name) => name !== output)!;
      if (!this.constants.has(other) && this.uses.madeBefore(other, node)) {
        residual = other;
        take(next);
      }
    }
    const step: StepAction = { kind: 'linear', ...rest, bias, activation, residual, transposedOutput, output };
    this.push(node, step, [product.x, product.weight, bias, residual], [output]);
  }

  private addDepthwise(node: onnx.INodeProto): void {
    const [x, weight, bias] = node.input!;
    const [channels, ofGroup, taps] = this.constants.has(weight) ? dimensions(this.constants.get(weight)!) : [];
    const all = (name: string, wanted: number): boolean => (integersAttribute(node, name) ?? [wanted]).every((value) => value === wanted);
    if (taps === undefined || ofGroup !== 1 || integerAttribute(node, 'group') !== channels || !all('strides', 1) || !all('dilations', 1)) {
      return this.refuse(node, 'that is not depthwise along one axis');
    }
    if (node.attribute?.some(({ name, s }) => name === 'auto_pad' && s?.length && Buffer.from(s).toString() !== 'NOTSET')) return this.refuse(node);
    const [padLeft, padRight] = integersAttribute(node, 'pads') ?? [0, 0];
    const split = this.uses.onlyReader(node.output![0]);
    let outputs = node.output!;
    if (split?.opType === 'Split' && integerAttribute(split, 'axis') === 1 && this.cutsEqually(split, channels)) {
      outputs = split.output!;
      this.done.add(split);
    }
    const source = this.transposed.get(x) ?? x;
    const step: StepAction = { kind: 'depthwise', x: source, transposedInput: source !== x, weight, bias: bias || undefined, padLeft, padRight, outputs };
    this.push(node, step, [source, weight, bias], outputs);
  }

  private cutsEqually(split: onnx.INodeProto, channels: number): boolean {
    const parts = split.output!.length;
    const sizes = split.input![1] ? this.integers(split, split.input![1]) : integersAttribute(split, 'split');
    return channels % parts === 0 && (sizes ?? []).every((size) => size === channels / parts);
  }

  private isMatrix(name: string): boolean {
    return this.constants.has(name) && dimensions(this.constants.get(name)!).length === 2;
  }

  private isVector(name: string, size: number): boolean {
    const dims = this.constants.has(name) ? dimensions(this.constants.get(name)!) : [];
    return dims.length > 0 && dims[dims.length - 1] === size && dims.slice(0, -1).every((d) => d === 1);
  }

  private integers(node: onnx.INodeProto, name: string): number[] {
    const value = this.constants.get(name);
    return value ? integerValues(value) : this.refuse(node, 'whose sizes are computed');
  }

  private push(node: onnx.INodeProto, action: StepAction, reads: readonly (string | undefined)[], writes: readonly string[]): void {
    this.drafts.push({ ...action, reads: reads.filter((name): name is string => !!name), writes, name: node.name || writes[0] });
  }

  private refuse(node: onnx.INodeProto, which = 'in this form'): never {
    throw new UserError(
      `The model cannot run on the GPU: it has the operator ${node.opType} (${node.name || node.output?.[0]}), which the GPU kernels do not have${OPERATIONS[node.opType ?? ''] || which !== 'in this form' ? ` ${which}` : ''}.`,
      'Use --backend cpu.',
    );
  }
}

function withReleases(drafts: readonly Draft[], output: string, constants: ReadonlyMap<string, unknown>): GpuStep[] {
  const last = new Map<string, number>();
  drafts.forEach(({ reads, writes }, index) => {
    for (const name of [...writes, ...reads]) if (!constants.has(name)) last.set(name, index);
  });
  last.delete(output);
  return drafts.map((draft, index): GpuStep => ({
    ...draft, release: [...new Set([...draft.reads, ...draft.writes])].filter((name) => last.get(name) === index),
  }));
}
