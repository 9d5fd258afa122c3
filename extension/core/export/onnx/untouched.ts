import { UserError } from '../../errors';
import { capturedBy, type GraphView } from '../../families/onnx/graph-view';
import type { OnnxSite } from '../../families/onnx/site';
import type { PagedFile } from '../../formats/onnx/paged-file';
import type { OnnxFile } from '../../formats/onnx/read';
import type { ByteRange, OnnxNode } from '../../formats/onnx/structure';
import { LONG_CONV_DOMAIN } from '../../graph/model-graph';

/** Of metadata keys that exports write. */
const METADATA_PREFIX = 'longconv.surgeon.';
/** Bytes compared at a time. */
const COMPARED_AT_ONCE = 1 << 20;

/**
 * Refuses a written model that differs from its source in anything but what makes the results of the changed sites from their inputs:
 * inputs, outputs, functions and every other node have the bytes that they had, and no changed value is read anywhere else. With the bytes of the
 * tensors (firstDifference) and a run of each changed site, it follows that the model computes what the plan says.
 * `touched`: tensors whose values were to change.
 */
export function refuseOtherChanges(source: OnnxFile, written: GraphView, sites: readonly OnnxSite[], touched: ReadonlySet<string>): void {
  refuseOtherDeclarations(source, written.file);
  const changed = changedNodes(source, written.file);
  const added = [...written.initializers.keys()].filter((name) => !source.structure.graph.initializers.has(name));
  const results = new Set(sites.map(({ y }) => y.value));
  const allowed = new Set(sites.flatMap((site) => [...nodesOf(written, site)]));
  const readers = readersIn(written.file);
  const pending = [...touched, ...added];
  const seen = new Set(pending);
  const spread = (node: OnnxNode): void => {
    if (!allowed.has(node)) throw otherwise(`the node ${node.name || node.outputs[0]}`);
    // What a site makes is checked by running it.
    for (const name of node.outputs) {
      if (name === '' || results.has(name) || seen.has(name)) continue;
      seen.add(name);
      pending.push(name);
    }
  };
  changed.forEach(spread);
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    if (written.outputs.has(name)) throw otherwise(`the output ${name}`);
    readers.get(name)?.forEach(spread);
  }
}

const otherwise = (what: string): UserError => new UserError(`The export changed ${what}, which the plan does not touch, so it was not kept.`, 'Check the disk.');

/**
 * Nodes of the file that make a site's result, up to its input. Refuses a result that depends on the model's inputs in another way; what depends on
 * them by their shapes only is followed up to where a shape is taken.
 */
function nodesOf(view: GraphView, { id, u, y, bias }: OnnxSite): Set<OnnxNode> {
  const nodes = new Set<OnnxNode>();
  const given = new Set([u.value, bias ?? '', '']);
  const seen = new Set<string>();
  const pending: [name: string, forConstant: boolean][] = [[y.value, false]];
  for (let next = pending.pop(); next; next = pending.pop()) {
    const [name, forConstant] = next;
    const dynamic = !view.isConstant(name);
    if (given.has(name) || seen.has(name) || (forConstant && dynamic)) continue;
    seen.add(name);
    const node = view.producers.get(name);
    if (!node) {
      if (dynamic) throw otherwise(`the result of ${id}`);
      continue;
    }
    nodes.add(node.rewritten?.call ?? node);
    for (const input of [...node.inputs, ...capturedBy(node)]) pending.push([input, !dynamic]);
  }
  return nodes;
}

function readersIn({ structure }: OnnxFile): Map<string, OnnxNode[]> {
  const readers = new Map<string, OnnxNode[]>();
  for (const node of structure.graph.nodes) {
    for (const name of [...node.inputs, ...capturedBy(node)]) {
      const list = readers.get(name);
      if (list) list.push(node);
      else readers.set(name, [node]);
    }
  }
  return readers;
}

/** Nodes of the written file that are not, byte for byte, nodes of its source. */
function changedNodes(source: OnnxFile, written: OnnxFile): OnnxNode[] {
  const key = ({ outputs }: OnnxNode): string => JSON.stringify(outputs);
  const before = new Map(source.structure.graph.nodes.map((node) => [key(node), node]));
  return written.structure.graph.nodes.filter((node) => {
    const original = before.get(key(node));
    return !original || !sameBytes(source.bytes, original.span, written.bytes, node.span);
  });
}

/** Everything of the two files but nodes and the values of tensors; the function that exports may add aside. */
function refuseOtherDeclarations(source: OnnxFile, written: OnnxFile): void {
  const [before, after] = [source.structure, written.structure];
  if (before.irVersion !== after.irVersion) throw otherwise('the format version');
  const same = (what: string, old: ReadonlyMap<string, ByteRange>, now: ReadonlyMap<string, ByteRange>, mayBeNew: (name: string) => boolean = () => false): void => {
    for (const [name, range] of old) {
      const other = now.get(name);
      if (!other || !sameBytes(source.bytes, range, written.bytes, other)) throw otherwise(`${what} ${name}`);
    }
    for (const name of now.keys()) if (!old.has(name) && !mayBeNew(name)) throw otherwise(`${what} ${name}`);
  };
  const spans = (list: Iterable<{ readonly name: string; readonly span: ByteRange }>): Map<string, ByteRange> => new Map([...list].map(({ name, span }) => [name, span]));
  for (const name of before.graph.initializers.keys()) if (!after.graph.initializers.has(name)) throw otherwise(`the tensor ${name}`);
  const unlisted = ({ structure, tensors }: OnnxFile): Map<string, ByteRange> => spans([...structure.graph.initializers.values()].filter(({ name }) => !tensors.has(name)));
  same('the input', spans(before.graph.inputs), spans(after.graph.inputs));
  same('the output', spans(before.graph.outputs), spans(after.graph.outputs));
  same('the declared type of', spans(before.graph.values.values()), spans(after.graph.values.values()));
  same('the sparse tensor', before.graph.sparse, after.graph.sparse);
  same('the tensor', unlisted(source), unlisted(written));
  const functions = ({ structure }: OnnxFile): Map<string, ByteRange> => new Map(structure.functions.map(({ domain, name, overload, span }) => [[domain, name, overload].join(':'), span]));
  same('the function', functions(source), functions(written), (name) => name.startsWith(`${LONG_CONV_DOMAIN}:`));
  const foreign = ({ structure }: OnnxFile): Map<string, ByteRange> => new Map([...structure.metadataFields].filter(([key]) => !key.startsWith(METADATA_PREFIX)));
  same('the metadata entry', foreign(source), foreign(written));
  for (const [domain, version] of [...before.opsets, ...after.opsets]) {
    const [old, now] = [before.opsets.get(domain), after.opsets.get(domain)];
    if (old !== now && !(domain === LONG_CONV_DOMAIN && old === undefined)) throw otherwise(`the operator set ${domain} ${version}`);
  }
}

function sameBytes(a: PagedFile, one: ByteRange, b: PagedFile, other: ByteRange): boolean {
  const size = one.end - one.start;
  if (size !== other.end - other.start) return false;
  for (let at = 0; at < size; at += COMPARED_AT_ONCE) {
    const end = Math.min(size, at + COMPARED_AT_ONCE);
    if (Buffer.compare(a.bytes(one.start + at, one.start + end), b.bytes(other.start + at, other.start + end)) !== 0) return false;
  }
  return true;
}
