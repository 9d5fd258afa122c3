import type { TensorFile } from '../../formats/tensor-file';
import { ElementType, type GraphBuilder, ints } from '../../graph/builder';
import type { StoredWeight } from '../../graph/model-graph';

/**
 * Brings tensors of a file into a graph under the file's names: as float32 initializers, or, where they are to stay on disk, as inputs that
 * a run reads when it needs them (ModelGraph.stored).
 */
export class Weights {
  /** What stays on disk; undefined where everything is loaded. */
  readonly stored?: Map<string, StoredWeight>;
  private readonly loaded = new Set<string>();

  constructor(private readonly b: GraphBuilder, private readonly file: TensorFile, onDisk = false) {
    if (onDisk) this.stored = new Map();
  }

  async load(name: string, shape: readonly number[]): Promise<string> {
    return this.once(name, shape, () => this.file.readFloat32(name));
  }

  /** The transpose of a matrix [rows, columns] of the file. A tied head differs from its embedding in name, because it is transposed. */
  async loadTransposed(name: string, [rows, columns]: readonly [number, number]): Promise<string> {
    if (this.stored) {
      // ONNX Runtime multiplies by the transpose as it is, which is much faster than to transpose at every run.
      return this.b.node('Transpose', name, [await this.load(name, [rows, columns])], { attributes: { perm: ints([1, 0]) } });
    }
    return this.once(`${name}/transposed`, [columns, rows], async () => {
      const data = await this.file.readFloat32(name);
      const transposed = new Float32Array(data.length);
      for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) transposed[c * rows + r] = data[r * columns + c];
      return transposed;
    });
  }

  /** A tensor of which the graph uses a rearrangement or a part; `variant` tells it from others made of the same tensor. */
  async loadChanged(name: string, variant: string, shape: readonly number[], change: (data: Float32Array) => Float32Array): Promise<string> {
    return this.once(`${name}/${variant}`, shape, async () => change(await this.file.readFloat32(name)));
  }

  /** A tensor's values, for the change of another one. */
  values(name: string): Promise<Float32Array> {
    return this.file.readFloat32(name);
  }

  private async once(name: string, shape: readonly number[], read: () => Promise<Float32Array>): Promise<string> {
    if (this.loaded.has(name)) return name;
    this.loaded.add(name);
    if (this.stored) {
      this.stored.set(name, { dims: shape, read });
      return this.b.input(name, ElementType.FLOAT, shape);
    }
    return this.b.floats(name, shape, await read());
  }
}
