import { UserError } from '../../errors';
import type { OnnxNode, OnnxTensor } from '../../formats/onnx/structure';
import { onnxTypeName } from '../../formats/onnx/element-type';
import { ElementType } from '../../graph/builder';
import { DENSE_TYPES, type DenseSessions, type DenseTensor, elementTypeOf, emptyData } from '../../graph/dense-sessions';
import type { onnx } from '../../graph/onnx';
import type { GraphView } from './graph-view';
import { submodel } from './submodel';

/** Initializers of more elements than this do not matter for shapes: shapes, axes and lengths are small. */
const SHAPE_ELEMENTS = 1024;
/** Constants of at most this many elements are read without asking ONNX Runtime. */
const SMALL = 1 << 12;

/**
 * Shapes and values of a model, as ONNX Runtime computes them: shapes by its own inference, without running anything; values that
 * depend on constants (and on shapes) by running just the nodes that they need, with the runtime's own kernels.
 */
export class ModelValues {
  private readonly shapes = new Map<string, readonly number[]>();
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
    const inputs = new Map([...given].map(([name, { type, dims }]) => [name, { type: elementTypeOf(type), dims }]));
    const part = submodel(this.view, { outputs, inputs, known: this.known, shapes: this.inputShapes });
    const session = await this.sessions.create(part.bytes);
    try {
      const feeds = new Map(given);
      for (const name of part.graphInputs) feeds.set(name, this.zeros(name));
      return await session.run(new Map([...feeds].filter(([name]) => session.inputNames.includes(name))), outputs);
    } finally {
      await session.dispose();
    }
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
    const outputs = [...this.view.producers.keys()];
    const { bytes } = submodel(this.view, { outputs, shapes: this.inputShapes, largestInitializer: SHAPE_ELEMENTS });
    try {
      const session = await this.sessions.create(bytes, { asIs: true });
      for (const { name, type, shape } of session.outputs) {
        this.types.set(name, type);
        if (shape.every((dim) => typeof dim === 'number' && dim >= 0)) this.shapes.set(name, shape as number[]);
      }
      await session.dispose();
    } catch (cause) {
      if (!(cause instanceof UserError)) throw cause;
      this.inferenceFailure = cause.message;
    }
    for (const node of this.view.nodes) this.knowShape(node);
  }

  /** Results of Shape and Size that are known without computing what they measure. */
  private knowShape({ op, domain, inputs, outputs, attributes }: OnnxNode): void {
    if (domain !== '' || (op !== 'Shape' && op !== 'Size') || this.view.isConstant(inputs[0])) return;
    const shape = this.shape(inputs[0]);
    if (!shape) return;
    const all = op === 'Size' ? [shape.reduce((a, b) => a * b, 1)] : shape.slice(attributes.get('start')?.int ?? 0, attributes.get('end')?.int ?? shape.length);
    this.known.set(outputs[0], { dims: op === 'Size' ? [] : [all.length], dataType: ElementType.INT64, int64Data: all });
  }

  private zeros(name: string): DenseTensor {
    const type = DENSE_TYPES[this.view.feeds.find((feed) => feed.name === name)?.elementType ?? ElementType.FLOAT]?.type;
    const dims = this.inputShapes.get(name) ?? [];
    if (!type) throw new UserError(`The input "${name}" of ${this.view.file.path} is of a type that cannot be fed here.`);
    return { type, dims, data: emptyData(type, dims.reduce((a, b) => a * b, 1)) };
  }
}
