import { UserError } from '../errors';
import { GraphBuilder, nodeNames, tensorType, valueNames } from '../graph/builder';
import { isLongConv, LONG_CONV_OPSET_VERSION, longConvFunction, readLongConv, withNeutralInputs } from '../graph/long-conv-op';
import { LONG_CONV_DOMAIN, type ModelGraph } from '../graph/model-graph';
import { onnx } from '../graph/onnx';
import { siteLength } from '../families/site-shape';
import { writeFileAtomically } from '../io/atomic-file';
import { filterOfRun } from '../plan/filter-of-run';
import { shortestRun } from '../plan/longest-input';
import type { SurgeryPlan } from '../plan/plan';
import type { SiteFilter } from '../plan/site-filter';
import { TOOL, VERSION } from '../version';
import { addLengthGuard, type LengthRange } from './onnx/length-guard';
import { CONV_TAPS, type Lowering, loweredBytes, LOWERINGS } from './onnx/lowering';
import { lagExtent, takesAnyLength } from './onnx/site-kernel';

export { CONV_TAPS, type Lowering } from './onnx/lowering';
export { verifyOnnx } from './onnx/verify';

export interface OnnxExport {
  readonly graph: ModelGraph;
  /** By site id, one for every LongConv of the graph. */
  readonly filters: ReadonlyMap<string, SiteFilter>;
  /** Longest input, in samples, that the exported graph must take. */
  readonly length: number;
  /** Default: conv when no filter has more than CONV_TAPS taps, else dft. */
  readonly lowering?: Lowering;
  readonly output: string;
  /** The model the graph was made from; `fingerprint` is `sha256:<hex>` of its file. */
  readonly source: { readonly name: string; readonly fingerprint: string };
  readonly plan: SurgeryPlan;
  /** The filters are the re-causalised ones. */
  readonly recausalise?: boolean;
}

export interface OnnxExportResult {
  readonly lowering: Lowering;
  readonly bytes: number;
  /** Sentences for the user: what was chosen and what it means. */
  readonly notes: readonly string[];
}

/** A protocol-buffer message, and so an ONNX file without external data, is smaller than 2 GiB. */
const LARGEST_FILE = 2 ** 31 - 1;

/**
 * Writes the model as an ONNX file of standard operators (or, for lowering 'function', with the model-local function LongConv).
 * Batch and sequence stay dynamic, but for filters that are bound to one length; inputs longer than `length` make the graph fail, unless every
 * filter is a short Conv kernel, and so do shorter ones on which the model would have other filters.
 * Throws UserError when a filter is missing, a grid does not take `length`, or the file would exceed 2 GiB.
 */
export async function exportOnnx(request: OnnxExport): Promise<OnnxExportResult> {
  const { graph, length } = request;
  if (!Number.isInteger(length) || length < 1) throw new UserError(`An ONNX export needs a length of at least 1 sample, not ${length}.`);
  const filters = new Map([...request.filters].map(([id, filter]) => [id, filterOfRun(filter, siteLength(filter.site, length))]));
  const { lowering, reason } = chooseLowering({ ...request, filters });
  const unlimited = lowering === 'conv' && [...filters.values()].every(takesAnyLength);
  checkSize({ ...request, filters }, lowering);
  const shortest = Math.max(1, ...[...request.filters.values()].map((filter) => shortestRun(filter, length)));
  const range = { shortest, longest: unlimited ? Infinity : length };
  const model = lowerModel({ ...request, filters }, lowering, range);
  const bytes = onnx.ModelProto.encode(model).finish();
  if (bytes.length > LARGEST_FILE) throw tooLarge(bytes.length);
  await writeFileAtomically(request.output, bytes);
  const name = graph.model.graph?.name ?? 'model';
  const written = `The long convolutions of ${name} are written as ${WRITTEN_AS[lowering]}${reason}.`;
  return { lowering, bytes: bytes.length, notes: [written, limits(range)] };
}

/** Whether only one length will do, so that the graph can say so in its input's shape. */
const isExact = ({ shortest, longest }: LengthRange): boolean => shortest > 1 && shortest === longest;

function limits(range: LengthRange): string {
  const { shortest, longest } = range;
  if (isExact(range)) return `The graph is made for inputs of exactly ${longest} samples: on others the model has other filters.`;
  const least = shortest > 1 ? ` It fails on inputs of fewer than ${shortest} samples, on which the model has other filters.` : '';
  return longest === Infinity
    ? `Every filter is partial, so the graph takes inputs of any length.${least}`
    : `The graph is made for inputs of up to ${longest} samples and fails on longer ones.${least}`;
}

const WRITTEN_AS: Readonly<Record<Lowering, string>> = {
  dft: 'DFT operators on a power of two of points',
  conv: 'depthwise Conv operators',
  function: 'LongConv nodes with a model-local function, which needs a runtime that reads functions (IR version 8)',
};

function chooseLowering({ lowering, filters, length }: OnnxExport): { readonly lowering: Lowering; readonly reason: string } {
  if (lowering) return { lowering, reason: '' };
  const taps = Math.max(0, ...[...filters.values()].map((filter) => kernelTaps(filter, length)));
  return taps <= CONV_TAPS
    ? { lowering: 'conv', reason: `, because no filter has more than ${CONV_TAPS} taps (the longest has ${taps})` }
    : { lowering: 'dft', reason: `, because a filter has ${taps} taps and Conv is slower beyond ${CONV_TAPS}` };
}

function kernelTaps(filter: SiteFilter, length: number): number {
  const { future, past } = lagExtent(filter, takesAnyLength(filter) ? Infinity : siteLength(filter.site, length));
  return future + past + 1;
}

function checkSize({ graph, filters, length }: OnnxExport, lowering: Lowering): void {
  const weights = (graph.model.graph?.initializer ?? []).reduce((sum, { rawData }) => sum + (rawData?.length ?? 0), 0);
  const kernels = [...filters.values()].reduce((sum, filter) => sum + loweredBytes(filter, siteLength(filter.site, length), lowering), 0);
  if (weights + kernels > LARGEST_FILE) throw tooLarge(weights + kernels);
}

function tooLarge(bytes: number): UserError {
  return new UserError(
    `The exported graph would have ${(bytes / 2 ** 30).toFixed(1)} GiB, but an ONNX file holds less than 2 GiB.`,
    'Cut the filters with a partial mask and use --lowering conv, export for a shorter --length, or export safetensors.',
  );
}

function lowerModel(request: OnnxExport, lowering: Lowering, range: LengthRange): onnx.IModelProto {
  const { graph, filters, length } = request;
  const source = graph.model.graph!;
  const b = new GraphBuilder(valueNames(source), nodeNames(source));
  const input = addLengthGuard(b, graph.input, range);
  const filterInputs = new Set<string>();
  for (const original of source.node ?? []) {
    const node = { ...original, input: original.input?.map((name) => (name === graph.input.name ? input : name)) };
    if (!isLongConv(node)) {
      b.append(node);
      continue;
    }
    const convolution = readLongConv(node);
    const filter = filters.get(convolution.site);
    if (!filter) throw new UserError(`There is no filter for site ${convolution.site} of the graph.`);
    filterInputs.add(convolution.k);
    LOWERINGS[lowering](b, convolution, filter, siteLength(filter.site, length));
  }
  const kept = lowering === 'function';
  const node = kept ? withNeutralInputs(b.nodes, b) : b.nodes;
  return {
    ...graph.model,
    producerName: 'longconv-surgeon',
    producerVersion: VERSION,
    opsetImport: [
      ...(graph.model.opsetImport ?? []).filter(({ domain }) => domain !== LONG_CONV_DOMAIN),
      ...(kept ? [{ domain: LONG_CONV_DOMAIN, version: LONG_CONV_OPSET_VERSION }] : []),
    ],
    functions: [
      ...(graph.model.functions ?? []).filter(({ domain }) => domain !== LONG_CONV_DOMAIN),
      ...(kept ? [longConvFunction()] : []),
    ],
    metadataProps: [...(graph.model.metadataProps ?? []), ...metadata(request, lowering)],
    graph: {
      ...source,
      node,
      initializer: [...(source.initializer ?? []), ...b.initializers],
      input: (source.input ?? []).filter(({ name }) => !filterInputs.has(name!)).map((value) => withExactLength(value, graph.input, range)),
    },
  };
}

/** A filter that is bound to one length means another thing at every other, so a graph with one takes its one length only. */
function withExactLength(value: onnx.IValueInfoProto, input: ModelGraph['input'], range: LengthRange): onnx.IValueInfoProto {
  const type = value.type?.tensorType;
  if (!isExact(range) || value.name !== input.name || !type) return value;
  const dims = (type.shape?.dim ?? []).map(({ dimValue, dimParam }) => (dimParam ? dimParam : Number(dimValue)));
  return { ...value, type: tensorType(type.elemType!, dims.map((dim, axis) => (axis === (input.lengthAxis ?? 1) ? range.longest : dim))) };
}

function metadata({ source, plan, length, recausalise }: OnnxExport, lowering: Lowering): onnx.IStringStringEntryProto[] {
  const entries = {
    tool: TOOL,
    source: `${source.name} ${source.fingerprint}`,
    plan: JSON.stringify(plan),
    lowering,
    length: String(length),
    recausalised: String(recausalise === true),
  };
  return Object.entries(entries).map(([key, value]) => ({ key: `longconv.surgeon.${key}`, value }));
}
