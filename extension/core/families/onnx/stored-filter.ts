import type { OnnxTensor } from '../../formats/onnx/structure';
import { isStandard } from './attributes';
import type { GraphView } from './graph-view';

/** Operators that leave the order of the elements as it is. */
const SAME_ORDER = ['Identity', 'Unsqueeze', 'Squeeze', 'Reshape', 'Flatten'];

/** The tensor of the file that holds a value's elements in the same order, where there is one, and whether only this value is made of it. */
export function storedTensor(view: GraphView, value: string): { readonly tensor?: OnnxTensor; readonly exclusive: boolean } {
  let exclusive = true;
  for (let name = value; ;) {
    exclusive &&= view.onlyUse(name) !== undefined;
    const initializer = view.initializers.get(name);
    if (initializer) return { tensor: initializer, exclusive };
    const node = view.producers.get(name);
    if (isStandard(node, 'Constant')) {
      // The body of a function that is called twice has one tensor for both calls.
      return { tensor: node.attributes.get('value')?.tensor, exclusive: exclusive && !node.rewritten };
    }
    if (!node || !SAME_ORDER.includes(node.op) || node.domain !== '') return { exclusive: false };
    name = node.inputs[0];
  }
}
