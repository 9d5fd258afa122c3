import { UserError } from '../../errors';
import { isFloatDType } from '../../formats/dtype';
import type { TensorFile } from '../../formats/tensor-file';
import type { LinearNames, WeightAndBias } from './tensor-names';

/** Shapes of one file's tensors, checked as they are asked for. */
export class Shapes {
  readonly path: string;

  constructor(private readonly file: TensorFile) {
    this.path = file.path;
  }

  of(name: string): readonly number[] {
    const tensor = this.file.tensors.get(name);
    if (!tensor) {
      throw new UserError(`${this.path} lacks the tensor ${name}.`);
    }
    if (!isFloatDType(tensor.dtype)) {
      throw new UserError(`${this.path} stores ${name} as ${tensor.dtype}, and only F64, F32, F16 and BF16 weights can be used.`, 'Convert the weights to floating point first.');
    }
    return tensor.shape;
  }

  matrix(name: string, meaning: string): readonly [number, number] {
    const shape = this.of(name);
    if (shape.length !== 2 || shape[0] < 1 || shape[1] < 1) {
      throw new UserError(`${this.path} has ${name} of shape [${shape.join(', ')}] where [${meaning}] is needed.`);
    }
    return [shape[0], shape[1]];
  }

  expect(name: string, expected: readonly number[]): void {
    const shape = this.of(name);
    if (shape.length !== expected.length || shape.some((dimension, axis) => dimension !== expected[axis]) || expected.includes(0)) {
      throw new UserError(`${this.path} has ${name} of shape [${shape.join(', ')}] where the other tensors need [${expected.join(', ')}].`);
    }
  }

  optional(name: string | undefined, expected: readonly number[]): void {
    if (name !== undefined) {
      this.expect(name, expected);
    }
  }

  linear({ weight, bias }: LinearNames, shape: readonly [number, number]): void {
    this.expect(weight, shape);
    this.optional(bias, [shape[0]]);
  }

  pair({ weight, bias }: WeightAndBias, weightShape: readonly number[], biasLength: number): void {
    this.expect(weight, weightShape);
    this.expect(bias, [biasLength]);
  }
}
