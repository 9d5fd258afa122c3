import { UserError } from '../../errors';
import type { OnnxNode } from '../../formats/onnx/structure';
import { WITH_DFT } from './attributes';
import { isContribTransform } from './contrib-transforms';
import { readLongConvolution } from './find-conv';
import { readSpectralConvolution } from './find-dft';
import { subgraphFindings } from './find-in-subgraphs';
import { matrixFinding } from './find-matrix';
import type { GraphView } from './graph-view';
import type { ModelValues } from './model-values';
import type { Finding, OnnxSite } from './site';

export interface FoundSites { readonly sites: readonly OnnxSite[]; readonly findings: readonly Finding[] }

/** Every long convolution of the graph, in its order: those that can be operated on, and the others with the reason. */
export async function findSites(view: GraphView, values: ModelValues, shortest: number): Promise<FoundSites> {
  const sites: OnnxSite[] = [];
  const findings: Finding[] = [];
  const taken = new Set<string>();
  const unique = <T extends { readonly id: string }>(found: T): T => {
    let id = found.id;
    for (let i = 2; taken.has(id); i++) id = `${found.id} (${i})`;
    taken.add(id);
    return { ...found, id };
  };
  for (const node of view.nodes) {
    const outcome = await lookAt(view, values, node, shortest);
    if (!outcome) continue;
    if ('site' in outcome) sites.push(unique(outcome.site));
    else findings.push(unique(outcome.finding));
  }
  findings.push(...subgraphFindings(view, values, shortest).map(unique));
  return { sites, findings };
}

async function lookAt(view: GraphView, values: ModelValues, node: OnnxNode, shortest: number): ReturnType<typeof readLongConvolution> {
  try {
    if (isContribTransform(node) && !view.isConstant(node.inputs[0])) return { finding: leftTransform(view, node) };
    const matrix = matrixFinding(view, node, shortest);
    if (matrix) return { finding: matrix };
    return (await readLongConvolution(view, values, node, shortest)) ?? (await readSpectralConvolution(view, values, node, shortest));
  } catch (cause) {
    // A filter that ONNX Runtime cannot compute must not hide the others.
    if (!(cause instanceof UserError)) throw cause;
    return { finding: { id: node.name || node.outputs[0], operator: node.op, reason: `could not be analysed: ${cause.message}` } };
  }
}

/** An Rfft or Irfft that could not be taken for DFT operators: whatever convolution it is a part of cannot be seen. */
function leftTransform(view: GraphView, node: OnnxNode): Finding {
  const why = view.opset < WITH_DFT ? `in operator set ${view.opset}, which has no DFT to run it by (that came with ${WITH_DFT})` : 'with settings that ONNX Runtime does not carry out';
  return { id: node.name || node.outputs[0], operator: node.op, reason: `is an operator of com.microsoft ${why}` };
}
