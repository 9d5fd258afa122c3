import { UserError } from '../../errors';
import { WITH_AXIS_INPUT, WITH_DFT } from '../../families/onnx/attributes';
import { emitSite } from '../../families/onnx/emit-site';
import { ValueKind } from '../../families/onnx/graph-view';
import type { OnnxModel } from '../../families/onnx/model';
import type { OnnxSite } from '../../families/onnx/site';
import type { OnnxNode } from '../../formats/onnx/structure';
import { GraphBuilder, int } from '../../graph/builder';
import { LONG_CONV_OPSET_VERSION, longConvFunction, withNeutralInputs } from '../../graph/long-conv-op';
import { LONG_CONV_DOMAIN } from '../../graph/model-graph';
import { onnx } from '../../graph/onnx';
import type { SiteFilter } from '../../plan/site-filter';
import { CONV_TAPS, LOWERINGS, type Lowering } from './lowering';
import type { ModelEdits } from './model-edits';
import { lagExtent, takesAnyLength } from './site-kernel';

/** Operator set: the first with num_outputs of Split. */
const WITH_SPLIT_COUNT = 18;
/** Format version: the first with model-local functions. */
const WITH_FUNCTIONS = 8;

/**
 * Replaces the nodes of a site by others that compute the changed convolution. Without a wish: Conv up to CONV_TAPS taps or where the
 * model's operator set has no DFT, else DFT. Says what was done.
 */
export function lowerSite(model: OnnxModel, edits: ModelEdits, site: OnnxSite, filter: SiteFilter, wish?: Lowering): string {
  const { view } = model;
  const producer = view.producers.get(site.y.value)!;
  const call = producer.rewritten?.call;
  if (call && !isWholeCall(model, site, call)) {
    throw new UserError(`${site.id} lies inside a model-local function that does more than this convolution, and its body cannot be changed for one call only.`, 'Export the model again with its functions inlined.');
  }
  const length = site.u.dims[site.u.timeAxis] + site.tail;
  const { lowering, reason } = chooseLowering(site, filter, length, view.opset, view.kind(site.cut.value) === ValueKind.ShapeOnly, wish);
  if (lowering === 'function' && model.file.structure.irVersion < WITH_FUNCTIONS) {
    throw new UserError(`${model.name} has format version ${model.file.structure.irVersion}, and functions need ${WITH_FUNCTIONS}.`, 'Use --lowering dft or conv.');
  }
  const b = new GraphBuilder(takenNames(model));
  emitSite(b, site, view.opset, (u) => {
    const y = `${site.id}/longconv.surgeon/y`;
    LOWERINGS[lowering](b, { site: site.id, mode: 'causal', u, k: '', output: y }, filter, length);
    return y;
  });
  const nodes = (lowering === 'function' ? withNeutralInputs(b.nodes, b) : b.nodes).flatMap((node) => forOpset(node, view.opset));
  for (const node of nodes) for (const name of node.input ?? []) edits.keep(name);
  edits.replaceNode(call ?? producer, nodes.map((node) => onnx.NodeProto.encode(node).finish()));
  for (const { name, dims, dataType, rawData } of b.initializers) edits.addInitializer(name!, (dims ?? []).map(Number), dataType!, rawData!);
  if (lowering === 'function') addFunction(model, edits);
  return `${site.id}: ${site.operator === 'Conv' ? 'the Conv' : 'the transforms'} were replaced by ${lowering === 'dft' ? 'DFT operators on a power of two of points' : lowering === 'conv' ? 'a depthwise Conv' : 'a LongConv node with a model-local function'}${reason}.${model.fixedLength ? '' : ` It is made for inputs of up to ${model.maxLength} samples.`}`;
}

/** Whether a node of the file does nothing but end a site, and what goes into the site is there in the file too. */
function isWholeCall(model: OnnxModel, { u, y, bias }: OnnxSite, call: OnnxNode): boolean {
  const { graph } = model.file.structure;
  const known = new Set([...graph.nodes.flatMap(({ outputs }) => outputs), ...graph.initializers.keys(), ...graph.inputs.map(({ name }) => name)]);
  return call.outputs.filter((name) => name !== '').join() === y.value && known.has(u.value) && (bias === undefined || known.has(bias));
}

function chooseLowering(site: OnnxSite, filter: SiteFilter, length: number, opset: number, openLength: boolean, wish?: Lowering): { lowering: Lowering; reason: string } {
  if (wish !== undefined) {
    if (wish !== 'conv' && opset < WITH_DFT) {
      throw new UserError(`The model uses operator set ${opset}, which has no DFT (that came with ${WITH_DFT}).`, 'Use --lowering conv.');
    }
    return { lowering: wish, reason: '' };
  }
  const why = openLength ? ', because the graph computes the filter anew for each length' : site.cut.form === 'taps' ? ', because the filter has negative lags, for which the original operators have no room' : ', because the filter is no tensor of its own';
  if (opset < WITH_DFT) return { lowering: 'conv', reason: why };
  const { future, past } = lagExtent(filter, takesAnyLength(filter) ? Infinity : length);
  return { lowering: future + past + 1 <= CONV_TAPS ? 'conv' : 'dft', reason: why };
}

/** A node of operator set 17 as a later one wants it. */
function forOpset(node: onnx.INodeProto, opset: number): onnx.INodeProto[] {
  if (node.domain) return [node];
  if (node.opType === 'Split' && opset >= WITH_SPLIT_COUNT && (node.input?.length ?? 0) < 2) {
    return [{ ...node, attribute: [...(node.attribute ?? []), { name: 'num_outputs', ...int(node.output!.length) }] }];
  }
  if (node.opType === 'DFT' && opset >= WITH_AXIS_INPUT) {
    const axis = Number(node.attribute?.find(({ name }) => name === 'axis')?.i ?? 1);
    const name = `${node.output![0]}/axis`;
    const attribute = node.attribute!.filter((given) => given.name !== 'axis');
    return [
      { opType: 'Constant', name, output: [name], attribute: [{ name: 'value_int', ...int(axis) }] },
      { ...node, input: [node.input![0], node.input![1] ?? '', name], attribute },
    ];
  }
  return [node];
}

function takenNames(model: OnnxModel): string[] {
  const { graph } = model.file.structure;
  return [...model.view.producers.keys(), ...graph.initializers.keys(), ...graph.sparse.keys(), ...graph.inputs.map(({ name }) => name)];
}

/** The function LongConv and its operator set, once for each file. */
function addFunction(model: OnnxModel, edits: ModelEdits): void {
  const { structure } = model.file;
  if (edits.hasFunction || structure.functions.some(({ domain }) => domain === LONG_CONV_DOMAIN)) return;
  edits.hasFunction = true;
  edits.addModelField(8, onnx.OperatorSetIdProto.encode({ domain: LONG_CONV_DOMAIN, version: LONG_CONV_OPSET_VERSION }).finish());
  // ONNX Runtime puts the body in the place of the call, so it must be written for the model's own operator set.
  const version = model.view.opset;
  const body = longConvFunction();
  const node = body.node!.flatMap((inner) => forOpset(inner, version));
  edits.addModelField(25, onnx.FunctionProto.encode({ ...body, node, opsetImport: [{ domain: '', version }] }).finish());
}
