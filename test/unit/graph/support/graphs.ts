import { ElementType, GraphBuilder, IR_VERSION, OPSET_VERSION } from '../../../../extension/core/graph/builder';
import type { DenseTensor } from '../../../../extension/core/graph/dense-sessions';
import { LONG_CONV_OPSET_VERSION, longConvFunction, withNeutralInputs } from '../../../../extension/core/graph/long-conv-op';
import { LONG_CONV_DOMAIN, type ModelGraph } from '../../../../extension/core/graph/model-graph';
import { onnx } from '../../../../extension/core/graph/onnx';
import { OnnxSessions } from '../../../../extension/kernel-host/onnx-sessions';

/** A model graph with float input `x`, from what a builder holds. */
export function floatGraph(b: GraphBuilder, output: string): ModelGraph {
  const model = {
    irVersion: IR_VERSION,
    opsetImport: [{ domain: '', version: OPSET_VERSION }, { domain: LONG_CONV_DOMAIN, version: LONG_CONV_OPSET_VERSION }],
    functions: [longConvFunction()],
    graph: b.graph('test'),
  };
  return { model, input: { name: 'x', kind: 'float' }, output };
}

/** Runs the uncut graph, LongConv by its function body, in ONNX Runtime. */
export async function runWhole(
  graph: ModelGraph, feeds: ReadonlyMap<string, DenseTensor>, wanted: readonly string[],
): Promise<Map<string, DenseTensor>> {
  const source = graph.model.graph!;
  const b = new GraphBuilder();
  const node = withNeutralInputs(source.node!, b);
  const model = { ...graph.model, graph: { ...source, node, initializer: [...(source.initializer ?? []), ...b.initializers] } };
  const session = await new OnnxSessions().create(onnx.ModelProto.encode(model).finish());
  try {
    return await session.run(feeds, wanted);
  } finally {
    await session.dispose();
  }
}

export const floats = (data: Float32Array, ...dims: number[]): DenseTensor => ({ type: 'float32', data, dims });
export const FLOAT = ElementType.FLOAT;
