import { ElementType, type GraphBuilder, int, tensor } from '../../graph/builder';
import type { ModelGraph } from '../../graph/model-graph';

/** Inputs that a graph takes, in samples; Infinity where any number will do. */
export interface LengthRange { readonly shortest: number; readonly longest: number }

/**
 * Makes the graph fail on inputs outside a range: on longer ones circular convolutions would silently wrap around, and on shorter ones the
 * model may have other filters (Site.ringOfRun). ONNX has no assertion, so a zero is looked up in a list of zeros and added to the input; its
 * index L - 1 is beyond a list of `longest` zeros where the input of L samples is too long, and -2 or less in a list of one zero where it is too short.
 * Returns the name of the guarded input, which the graph's nodes must read instead.
 */
export function addLengthGuard(b: GraphBuilder, input: ModelGraph['input'], { shortest, longest }: LengthRange): string {
  const guarded = longest === Infinity ? input.name : guard(b, input, input.name, `inputs_of_at_most_${longest}_samples`, longest, (scope, samples) =>
    b.node('Sub', scope, [samples, b.integers(scope, [1])]));
  return shortest <= 1 ? guarded : guard(b, input, guarded, `inputs_of_at_least_${shortest}_samples`, 1, (scope, samples) => {
    const missing = b.node('Min', scope, [b.node('Sub', scope, [samples, b.integers(scope, [shortest])]), b.integers(scope, [0])]);
    return b.node('Add', scope, [missing, missing]);
  });
}

/** Adds a zero to the value: the one at the index that is made of the number of samples. */
function guard(b: GraphBuilder, input: ModelGraph['input'], value: string, scope: string, zeroCount: number, index: (scope: string, samples: string) => string): string {
  const axis = input.lengthAxis ?? 1;
  const zero = tensor({ dims: [1], dataType: ElementType.UINT8, rawData: Uint8Array.of(0) });
  const zeros = b.node('ConstantOfShape', scope, [b.integers(scope, [zeroCount])], { attributes: { value: zero } });
  const samples = b.node('Shape', scope, [input.name], { attributes: { start: int(axis), end: int(axis + 1) } });
  const looked = b.node('Gather', scope, [zeros, index(scope, samples)], { attributes: { axis: int(0) } });
  const to = input.kind === 'tokens' ? ElementType.INT64 : ElementType.FLOAT;
  const cast = b.node('Cast', scope, [looked], { attributes: { to: int(to) } });
  return b.node('Add', scope, [value, cast]);
}
