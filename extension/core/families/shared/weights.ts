import type { TensorFile } from '../../formats/tensor-file';
import type { GraphBuilder } from '../../graph/builder';

/** Brings tensors of a file into a graph, as float32 initializers under the file's names. */
export class Weights {
  private readonly loaded = new Set<string>();

  constructor(private readonly b: GraphBuilder, private readonly file: TensorFile) {}

  async load(name: string, shape: readonly number[]): Promise<string> {
    return this.once(name, shape, () => this.file.readFloat32(name));
  }

  /** The transpose of a matrix [rows, columns] of the file. A tied head differs from its embedding in name, because it is transposed. */
  async loadTransposed(name: string, [rows, columns]: readonly [number, number]): Promise<string> {
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
    if (!this.loaded.has(name)) {
      this.b.floats(name, shape, await read());
      this.loaded.add(name);
    }
    return name;
  }
}
