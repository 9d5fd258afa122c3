import { ElementType, type GraphBuilder, int, tensor } from '../../graph/builder';
import type { ModelGraph } from '../../graph/model-graph';

/**
 * Makes the graph fail on inputs of more than `length` samples, on which circular convolutions would silently wrap around. ONNX has no
 * assertion, so sample number L - 1 is looked up in a list of `length` zeros, and the zero is added to the input.
 * Returns the name of the guarded input, which the graph's nodes must read instead.
 */
export function addLengthGuard(b: GraphBuilder, input: ModelGraph['input'], length: number): string {
  const scope = `inputs_of_at_most_${length}_samples`;
  const axis = input.lengthAxis ?? 1;
  const one = b.integers(scope, [1]);
  const zero = tensor({ dims: [1], dataType: ElementType.UINT8, rawData: Uint8Array.of(0) });
  const zeros = b.node('ConstantOfShape', scope, [b.integers(scope, [length])], { attributes: { value: zero } });
  const samples = b.node('Shape', scope, [input.name], { attributes: { start: int(axis), end: int(axis + 1) } });
  const last = b.node('Sub', scope, [samples, one]);
  const looked = b.node('Gather', scope, [zeros, last], { attributes: { axis: int(0) } });
  const to = input.kind === 'tokens' ? ElementType.INT64 : ElementType.FLOAT;
  const cast = b.node('Cast', scope, [looked], { attributes: { to: int(to) } });
  return b.node('Add', scope, [input.name, cast]);
}
