import { UserError } from '../../errors';
import type { OnnxNode, OnnxTensor } from '../../formats/onnx/structure';
import { onnxTypeName } from '../../formats/onnx/element-type';
import { ElementType, int } from '../../graph/builder';
import { DENSE_TYPES, type DenseSessions, type DenseTensor, elementTypeOf, emptyData } from '../../graph/dense-sessions';
import { onnx } from '../../graph/onnx';
import type { GraphView } from './graph-view';
import { neededFor, submodel } from './submodel';
import { transformShapes } from './transform-shapes';

/** Initializers of more elements than this do not matter for shapes: shapes, axes and lengths are small. */
const SHAPE_ELEMENTS = 1024;
/** Chains of shapes that depend on computed sizes are short. */
const MOST_ROUNDS = 8;
/** Operands that decide about the shape of an operator's result, by their place. */
const SIZE_OPERANDS: Readonly<Record<string, readonly number[] | undefined>> = {
  Pad: [1, 3], Reshape: [1], Slice: [1, 2, 3, 4], Expand: [1], Tile: [1], DFT: [1, 2], Squeeze: [1], Unsqueeze: [1], Split: [1], ConstantOfShape: [0],
};
/** Constants of at most this many elements are read without asking ONNX Runtime. */
const SMALL = 1 << 12;

/**
 * Shapes and values of a model, as ONNX Runtime computes them: shapes by its own inference, without running anything; values that
 * depend on constants (and on shapes) by running just the nodes that they need, with the runtime's own kernels.
 */
export class ModelValues {
  private readonly shapes = new Map<string, readonly number[]>();
  private readonly ranks = new Map<string, number>();
  private readonly types = new Map<string, string>();
  private readonly known = new Map<string, onnx.ITensorProto>();
  private readonly evaluated = new Map<string, DenseTensor>();

  private constructor(
    readonly view: GraphView, private readonly sessions: DenseSessions,
    /** Shapes of the inputs for which everything here holds. */
    readonly inputShapes: ReadonlyMap<string, readonly number[]>,
    /** Why shapes could not be inferred; then only those that the file declares are known. */
    public inferenceFailure?: string,
  ) {}

  /** `length` takes the place of every input dimension that is open, but for the first (a batch of 1). */
  static async create(view: GraphView, sessions: DenseSessions, length: number): Promise<ModelValues> {
    const inputShapes = new Map(view.feeds.map(({ name, dimensions }) => [
      name, (dimensions ?? []).map((dim, axis) => (typeof dim === 'number' ? dim : axis === 0 ? 1 : length)),
    ]));
    const values = new ModelValues(view, sessions, inputShapes);
    await values.inferShapes();
    return values;
  }

  /** The shape of a value; undefined where it is not known. */
  shape(name: string): readonly number[] | undefined {
    return this.view.initializers.get(name)?.dims ?? this.shapes.get(name);
  }

  /** Number of dimensions, which may be known where their sizes are not. */
  rank(name: string): number | undefined {
    return this.shape(name)?.length ?? this.ranks.get(name);
  }

  /** Element type of a value as ONNX Runtime names it; undefined where it is not known. */
  type(name: string): string | undefined {
    const tensor = this.view.initializers.get(name);
    return tensor ? onnxTypeName(tensor.type) : this.types.get(name);
  }

  /** Values that do not depend on the model's inputs, but for their shapes. Throws UserError where ONNX Runtime cannot compute them. */
  async evaluate(names: readonly string[]): Promise<Map<string, DenseTensor>> {
    const missing = [...new Set(names)].filter((name) => !this.evaluated.has(name));
    if (missing.length > 0) {
      for (const [name, value] of await this.run(missing, new Map())) this.evaluated.set(name, value);
    }
    return new Map(names.map((name) => [name, this.evaluated.get(name)!]));
  }

  /** Values of some outputs when some inner values are given; whatever else they need is computed, from zeros where it is an input. */
  async run(outputs: readonly string[], given: ReadonlyMap<string, DenseTensor>): Promise<Map<string, DenseTensor>> {
    // Without sizes: those that the inference derives for transforms of a given length may be wrong, and would contradict these.
    const inputs = new Map([...given].map(([name, { type, dims }]) => [name, { type: elementTypeOf(type), dims: dims.map((_, axis) => `${name}_${axis}`) }]));
    const part = submodel(this.view, { outputs, inputs, known: this.known, shapes: this.inputShapes, replacements: this.casts() });
    const session = await this.sessions.create(part.bytes);
    try {
      const feeds = new Map(given);
      for (const name of part.graphInputs) feeds.set(name, this.zeros(name));
      return await session.run(new Map([...feeds].filter(([name]) => session.inputNames.includes(name))), outputs);
    } finally {
      await session.dispose();
    }
  }

  /** Whether `numbers` can tell a value without running anything. */
  isKnown(name: string): boolean {
    return this.view.isConstant(name) && this.directNumbers(name) !== undefined;
  }

  /** Whether the size that a node measures is known, so that it need not be computed. */
  knownSize(name: string): onnx.ITensorProto | undefined {
    return this.known.get(name);
  }

  /** Forgets large results. */
  forget(name: string): void {
    this.evaluated.delete(name);
  }

  /** The elements of a small constant as numbers; undefined where the value is not there (an optional input) or not constant. */
  async numbers(name: string | undefined): Promise<number[] | undefined> {
    if (!this.view.isConstant(name)) return undefined;
    const direct = this.directNumbers(name);
    if (direct) return direct;
    const { data } = (await this.evaluate([name])).get(name)!;
    return Array.from(data as ArrayLike<number | bigint>, Number);
  }

  /** A constant of one element. */
  async scalar(name: string | undefined): Promise<number | undefined> {
    if (!this.view.isConstant(name)) return undefined;
    const shape = this.shape(name);
    if (shape && shape.some((dim) => dim !== 1)) return undefined;
    const values = await this.numbers(name);
    return values?.length === 1 ? values[0] : undefined;
  }

  /** A Cast in place of a CastLike that names its type by a value that depends on the input; undefined for any other node. */
  castOf(node: OnnxNode): onnx.INodeProto | undefined {
    if (node.op !== 'CastLike' || node.domain !== '' || this.view.isConstant(node.inputs[1])) return undefined;
    const type = Object.values(DENSE_TYPES).find((known) => known?.type === this.type(node.inputs[1]))?.type;
    return type && { opType: 'Cast', name: node.name, input: [node.inputs[0]], output: [node.outputs[0]], attribute: [{ name: 'to', ...int(elementTypeOf(type)) }] };
  }

  private casts(): Map<OnnxNode, Uint8Array[]> {
    const casts = this.view.nodes.map((node) => [node, this.castOf(node)] as const);
    return new Map(casts.flatMap(([node, cast]) => (cast ? [[node, [onnx.NodeProto.encode(cast).finish()]] as const] : [])));
  }

  private directNumbers(name: string): number[] | undefined {
    const known = this.known.get(name);
    if (known) return (known.int64Data ?? []).map(Number);
    const node = this.view.producers.get(name);
    const tensor = this.view.initializers.get(name) ?? (node?.op === 'Constant' && node.domain === '' ? node.attributes.get('value')?.tensor : undefined);
    if (tensor) return this.tensorNumbers(tensor);
    if (node?.op !== 'Constant') return undefined;
    const int = node.attributes.get('value_int')?.int;
    return node.attributes.get('value_ints')?.ints?.slice() ?? (int === undefined ? undefined : [int]);
  }

  private tensorNumbers(tensor: OnnxTensor): number[] | undefined {
    if (tensor.dims.reduce((a, b) => a * b, 1) > SMALL) return undefined;
    const bytes = Uint8Array.from(this.view.file.tensorBytes(tensor)).buffer;
    switch (tensor.type) {
      case ElementType.FLOAT: return [...new Float32Array(bytes)];
      case ElementType.DOUBLE: return [...new Float64Array(bytes)];
      case ElementType.INT32: return [...new Int32Array(bytes)];
      case ElementType.INT64: return Array.from(new BigInt64Array(bytes), Number);
      default: return undefined;
    }
  }

  private async inferShapes(): Promise<void> {
    const { graph } = this.view.file.structure;
    for (const value of [...graph.values.values(), ...graph.inputs, ...graph.outputs]) {
      if (value.elementType) this.types.set(value.name, onnxTypeName(value.elementType));
      if (value.dimensions?.every((dim) => typeof dim === 'number')) this.shapes.set(value.name, value.dimensions as number[]);
    }
    for (const [name, shape] of this.inputShapes) this.shapes.set(name, shape);
    // Each round tells shapes, from which sizes follow that are computed in the model, from which shapes follow.
    for (let round = 0; round < MOST_ROUNDS; round++) {
      const before = [this.ranks.size, this.shapes.size, this.known.size].join();
      if (!(await this.inferOnce())) return;
      for (const node of this.view.nodes) this.knowShape(node);
      await this.knowSizes();
      if (before === [this.ranks.size, this.shapes.size, this.known.size].join()) return;
    }
  }

  /** One pass of the runtime's own inference; false where it does not take the model. */
  private async inferOnce(): Promise<boolean> {
    const outputs = [...this.view.producers.keys()].filter((name) => !this.known.has(name));
    const replacements = await transformShapes(this.view, this);
    const { bytes } = submodel(this.view, { outputs, known: this.known, shapes: this.inputShapes, largestInitializer: SHAPE_ELEMENTS, replacements });
    try {
      const session = await this.sessions.create(bytes, { asIs: true });
      for (const { name, type, shape } of session.outputs) {
        this.types.set(name, type);
        // Without dimensions it is a single number, or nothing is known of it.
        if (shape.length === 0) {
          if (this.isStoredScalar(name)) this.shapes.set(name, []);
          continue;
        }
        this.ranks.set(name, shape.length);
        if (shape.every((dim) => typeof dim === 'number' && dim >= 0)) this.shapes.set(name, shape as number[]);
      }
      await session.dispose();
      return true;
    } catch (cause) {
      if (!(cause instanceof UserError)) throw cause;
      this.inferenceFailure = cause.message;
      return false;
    }
  }

  private isStoredScalar(name: string): boolean {
    const node = this.view.producers.get(name);
    if (node?.op !== 'Constant' || node.domain !== '') return false;
    const { attributes } = node;
    return attributes.has('value_int') || attributes.has('value_float') || attributes.get('value')?.tensor?.dims.length === 0;
  }

  /** Results of Shape and Size that are known without computing what they measure. */
  private knowShape({ op, domain, inputs, outputs, attributes }: OnnxNode): void {
    if (domain !== '' || (op !== 'Shape' && op !== 'Size')) return;
    const shape = this.shape(inputs[0]);
    if (!shape) return;
    const all = op === 'Size' ? [shape.reduce((a, b) => a * b, 1)] : shape.slice(attributes.get('start')?.int ?? 0, attributes.get('end')?.int ?? shape.length);
    this.know(outputs[0], op === 'Size' ? [] : [all.length], all);
  }

  /** Computes the sizes, axes and paddings that shapes depend on and that are not written down. */
  private async knowSizes(): Promise<void> {
    const wanted = new Set<string>();
    for (const { op, domain, inputs } of this.view.nodes) {
      if (domain !== '') continue;
      for (const name of SIZE_OPERANDS[op]?.map((index) => inputs[index]) ?? []) {
        if (this.view.isConstant(name) && this.type(name) === 'int64' && !this.known.has(name) && !this.directNumbers(name) && this.dependsOnKnown(name)) wanted.add(name);
      }
    }
    if (wanted.size === 0) return;
    for (const [name, { type, data, dims }] of await this.evaluate([...wanted])) {
      if (type === 'int64') this.know(name, dims, Array.from(data as BigInt64Array, Number));
    }
  }

  /** Whether a value can be computed without the inputs of the model. */
  private dependsOnKnown(name: string): boolean {
    const inputs = new Set(this.view.feeds.map((feed) => feed.name));
    return ![...neededFor(this.view, [name], this.known).outside].some((outside) => inputs.has(outside));
  }

  private know(name: string, dims: readonly number[], values: readonly number[]): void {
    if (name) this.known.set(name, { dims: [...dims], dataType: ElementType.INT64, int64Data: [...values] });
  }

  private zeros(name: string): DenseTensor {
    const type = DENSE_TYPES[this.view.feeds.find((feed) => feed.name === name)?.elementType ?? ElementType.FLOAT]?.type;
    const dims = this.inputShapes.get(name) ?? [];
    if (!type) throw new UserError(`The input "${name}" of ${this.view.file.path} is of a type that cannot be fed here.`);
    return { type, dims, data: emptyData(type, dims.reduce((a, b) => a * b, 1)) };
  }
}
