import type { Activation, ElementwiseOperation } from '../engine/gpu';
import type { LongConvNode } from '../graph/long-conv-op';
import type { onnx } from '../graph/onnx';

/** A model as a list of operations that the GPU has, in order. Values are named as in the graph. */
export interface GpuProgram {
  readonly steps: readonly GpuStep[];
  /** Tensors that the steps read besides values of the run. */
  readonly constants: ReadonlyMap<string, onnx.ITensorProto>;
  readonly input: { readonly name: string; readonly kind: 'tokens' | 'float' };
  readonly output: string;
}

export type GpuStep = StepAction & {
  readonly reads: readonly string[];
  readonly writes: readonly string[];
  /** Values nobody reads after this step. */
  readonly release: readonly string[];
  /** The ONNX node that the step stands for, for messages. */
  readonly name: string;
};

export type StepAction =
  | { readonly kind: 'embedding'; readonly table: string; readonly index: string; readonly output: string }
  | { readonly kind: 'norm'; readonly x: string; readonly scale: string; readonly shift?: string; readonly epsilon: number; readonly output: string }
  | LinearStep
  | { readonly kind: 'product'; readonly a: string; readonly b: string; readonly output: string }
  | DepthwiseStep
  | { readonly kind: 'convolution'; readonly node: LongConvNode }
  | { readonly kind: 'activate'; readonly activation: Activation; readonly x: string; readonly output: string }
  | { readonly kind: 'elementwise'; readonly operation: ElementwiseOperation; readonly a: string; readonly b?: string; readonly output: string }
  | { readonly kind: 'transpose'; readonly x: string; readonly order?: readonly number[]; readonly output: string }
  | { readonly kind: 'split'; readonly x: string; readonly axis: number; readonly sizes?: readonly number[]; readonly outputs: readonly string[] }
  | { readonly kind: 'alias'; readonly x: string; readonly output: string }
  /** Inserts (true) or removes axes of length 1. */
  | { readonly kind: 'axes'; readonly x: string; readonly insert: boolean; readonly axes?: readonly number[]; readonly output: string };

/** output = residual + activation(x weight + bias). */
export interface LinearStep {
  readonly kind: 'linear';
  readonly x: string;
  /** Constant [in, out], or [out, in] where weightTransposed. */
  readonly weight: string;
  readonly weightTransposed: boolean;
  /** Constant [out]. */
  readonly bias?: string;
  readonly activation: Activation;
  readonly residual?: string;
  /** x is [..., in, rows] instead of [..., rows, in]; the output [..., out, rows]. */
  readonly transposedInput: boolean;
  readonly transposedOutput: boolean;
  readonly output: string;
}

/** A depthwise Conv along the last axis; its channels are cut into as many equal parts as there are outputs. */
export interface DepthwiseStep {
  readonly kind: 'depthwise';
  readonly x: string;
  /** x is [batch, length, channels]. */
  readonly transposedInput: boolean;
  readonly weight: string;
  readonly bias?: string;
  readonly padLeft: number;
  readonly padRight: number;
  readonly outputs: readonly string[];
}
