import type { OnnxNode } from '../../formats/onnx/structure';
import { isDft, isInverse } from './attributes';
import { capturedBy, type GraphView } from './graph-view';

/** What may lie between a transform and its inverse when the spectrum is multiplied by a filter, however the exporter writes it. */
const POINTWISE = new Set([
  'Concat', 'Sub', 'Add', 'Sum', 'Mul', 'Div', 'Neg', 'Slice', 'Split', 'Gather', 'Squeeze', 'Unsqueeze', 'Reshape', 'Transpose', 'Identity',
  'Cast', 'CastLike', 'Pad', 'Expand',
]);

/** The nodes between forward transforms and one inverse transform. */
export interface SpectralRegion {
  /** In the graph's order. */
  readonly nodes: readonly OnnxNode[];
  /** Forward transforms of signals. */
  readonly transforms: readonly OnnxNode[];
  /** Constant operands. */
  readonly constants: readonly string[];
  /** Whether signals enter that are not transformed ones. */
  readonly mixed: boolean;
}

/** Walks back from the input of an inverse transform. */
export function spectralRegion(view: GraphView, inverse: OnnxNode): SpectralRegion {
  const nodes = new Set<OnnxNode>();
  const transforms = new Set<OnnxNode>();
  const constants = new Set<string>();
  let mixed = false;
  const pending = [inverse.inputs[0]];
  for (let value = pending.pop(); value !== undefined; value = pending.pop()) {
    const node = view.producers.get(value);
    if (isDft(node) && !isInverse(node)) transforms.add(node);
    else if (!node || node.domain !== '' || !POINTWISE.has(node.op)) mixed = true;
    else if (!nodes.has(node)) {
      nodes.add(node);
      for (const name of node.inputs) {
        if (view.isConstant(name)) constants.add(name);
        else if (name) pending.push(name);
      }
    }
  }
  return { nodes: view.nodes.filter((node) => nodes.has(node)), transforms: [...transforms], constants: [...constants], mixed };
}

/** The nearest constant transforms that some constants are made of. */
export function filterTransforms(view: GraphView, constants: readonly string[]): OnnxNode[] {
  const found = new Set<OnnxNode>();
  const seen = new Set<string>();
  const pending = [...constants];
  for (let value = pending.pop(); value !== undefined; value = pending.pop()) {
    if (seen.has(value) || !view.isConstant(value)) continue;
    seen.add(value);
    const node = view.producers.get(value);
    if (!node) continue;
    if (isDft(node) && !isInverse(node)) found.add(node);
    else pending.push(...node.inputs, ...capturedBy(node));
  }
  return [...found];
}
