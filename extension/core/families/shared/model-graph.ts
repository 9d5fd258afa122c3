import { type GraphBuilder, IR_VERSION, OPSET_VERSION } from '../../graph/builder';
import { LONG_CONV_OPSET_VERSION, longConvFunction } from '../../graph/long-conv-op';
import { LONG_CONV_DOMAIN, type ModelGraph } from '../../graph/model-graph';
import { TOOL } from '../../version';

/** The model of a graph whose nodes are all there. `disk`: weights that stay there, and where the graph's layers end. */
export function finishGraph(b: GraphBuilder, name: string, input: ModelGraph['input'], output: string, disk: Pick<ModelGraph, 'stored' | 'cuts'> = {}): ModelGraph {
  return {
    model: {
      irVersion: IR_VERSION,
      producerName: TOOL,
      opsetImport: [{ domain: '', version: OPSET_VERSION }, { domain: LONG_CONV_DOMAIN, version: LONG_CONV_OPSET_VERSION }],
      functions: [longConvFunction()],
      graph: b.graph(name),
    },
    input,
    output,
    ...disk,
  };
}
