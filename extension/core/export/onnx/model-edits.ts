import { UserError } from '../../errors';
import { capturedBy, type GraphView } from '../../families/onnx/graph-view';
import { encodeField, encodeVarint, type Edit, type Patch } from '../../formats/onnx/splice';
import type { OnnxFile } from '../../formats/onnx/read';
import type { OnnxNode, OnnxTensor } from '../../formats/onnx/structure';
import { onnx } from '../../graph/onnx';

/** Bytes of a new data file that each tensor starts at a multiple of, as other writers do. */
const ALIGNMENT = 4096;

/**
 * The changes to a model file: collected as edits of its messages, and as patches of its data files or tensors of a new one. Nothing but
 * what is asked for changes.
 */
export class ModelEdits {
  readonly edits: Edit[] = [];
  /** By the location of a data file, which is copied with them. */
  readonly dataPatches = new Map<string, Patch[]>();
  /** What goes into a new data file, with where it starts. */
  readonly sideTensors: { readonly offset: number; readonly bytes: Uint8Array }[] = [];
  /** Names of tensors whose values changed. */
  readonly touched = new Set<string>();
  /** The function of LongConv nodes is among the edits. */
  hasFunction = false;
  private readonly uses = new Map<string, number>();
  private readonly producers = new Map<string, OnnxNode>();
  private readonly added = new Set<string>();
  private readonly dropped = new Set<OnnxNode>();

  /** `sideFile`: name of a new data file beside the model, where its data files stay in place; undefined where they are copied. */
  constructor(private readonly file: OnnxFile, private readonly sideFile: string | undefined) {
    const { graph } = file.structure;
    for (const node of graph.nodes) {
      node.outputs.forEach((name) => this.producers.set(name, node));
      for (const name of [...node.inputs, ...capturedBy(node)]) this.count(name, 1);
    }
    for (const { name } of graph.outputs) this.count(name, 1);
  }

  get graphSpan(): OnnxFile['structure']['graph']['span'] {
    return this.file.structure.graph.span;
  }

  /** New values for a tensor of the file, in its own type and order. */
  replaceTensor(tensor: OnnxTensor, bytes: Uint8Array): void {
    this.touched.add(this.file.nameOf(tensor));
    if (tensor.external) return this.replaceExternal(tensor, tensor.external, bytes);
    if (tensor.raw) {
      this.edits.push({ parent: tensor.span, ...tensor.raw, bytes });
      return;
    }
    const [only, ...more] = tensor.typed?.ranges ?? [];
    const packed = only && more.length === 0 && (tensor.typed?.field === 4 || tensor.typed?.field === 10) && only.end - only.start === bytes.length;
    if (packed) this.edits.push({ parent: tensor.span, start: only.start, end: only.end, bytes });
    else this.replaceData(tensor, encodeField(9, bytes));
  }

  /** A new initializer of the main graph. */
  addInitializer(name: string, dims: readonly number[], type: number, bytes: Uint8Array): void {
    // The neutral inputs of LongConv nodes are the same for all of them.
    if (this.added.has(name)) return;
    this.added.add(name);
    const tensor = onnx.TensorProto.encode({ name, dims: [...dims], dataType: type, rawData: bytes }).finish();
    this.edits.push({ parent: this.graphSpan, start: this.graphSpan.end, end: this.graphSpan.end, bytes: encodeField(5, tensor) });
  }

  /** Lets one input of a node read another value; nodes that nobody needs any more are dropped. */
  redirect(node: OnnxNode, input: number, value: string): void {
    const { start, end } = node.inputSpans[input];
    this.edits.push({ parent: node.inputSpans[input], start, end, bytes: Buffer.from(value, 'utf8') });
    this.release(node.inputs[input]);
  }

  /** Puts encoded nodes in the place of one; what only that one needed is dropped too. */
  replaceNode(node: OnnxNode, nodes: readonly Uint8Array[]): void {
    this.dropped.add(node);
    const bytes = Buffer.concat(nodes.map((encoded) => encodeField(1, encoded)));
    this.edits.push({ parent: this.graphSpan, start: node.span.fieldStart, end: node.span.end, bytes });
    for (const name of [...node.inputs, ...capturedBy(node)]) this.release(name);
  }

  /** Says that new nodes read a value. Before anything is released. */
  keep(name: string): void {
    this.count(name, 1);
  }

  addMetadata(entries: Readonly<Record<string, string>>): void {
    const { span, metadataFields } = this.file.structure;
    for (const [key, value] of Object.entries(entries)) {
      const bytes = encodeField(14, onnx.StringStringEntryProto.encode({ key, value }).finish());
      const old = metadataFields.get(key);
      this.edits.push(old ? { parent: span, ...old, bytes } : { parent: span, start: span.end, end: span.end, bytes });
    }
  }

  /** A field at the end of the model. */
  addModelField(number: number, content: Uint8Array): void {
    const { span } = this.file.structure;
    this.edits.push({ parent: span, start: span.end, end: span.end, bytes: encodeField(number, content) });
  }

  private replaceExternal(tensor: OnnxTensor, { location, offset }: NonNullable<OnnxTensor['external']>, bytes: Uint8Array): void {
    if (this.sideFile === undefined) {
      const list = this.dataPatches.get(location) ?? [];
      list.push({ start: offset, end: offset + bytes.length, bytes });
      list.sort((a, b) => a.start - b.start);
      if (list.some((patch, i) => i > 0 && patch.start < list[i - 1].end)) {
        throw new UserError(`Two tensors of the model share bytes of ${location}, and one of them is to change.`, 'Export the model again with separate data.');
      }
      this.dataPatches.set(location, list);
      return;
    }
    const last = this.sideTensors[this.sideTensors.length - 1];
    const start = last ? Math.ceil((last.offset + last.bytes.length) / ALIGNMENT) * ALIGNMENT : 0;
    this.sideTensors.push({ offset: start, bytes });
    const entry = (key: string, value: string): Uint8Array => encodeField(13, onnx.StringStringEntryProto.encode({ key, value }).finish());
    const place = [entry('location', this.sideFile), entry('offset', `${start}`), entry('length', `${bytes.length}`)];
    this.replaceData(tensor, Buffer.concat([...place, encodeVarint(14 * 8), encodeVarint(1)]));
  }

  /** Other fields in place of those that hold or locate a tensor's data. */
  private replaceData({ span, dataFields }: OnnxTensor, fields: Uint8Array): void {
    dataFields.forEach((range, i) => this.edits.push({ parent: span, ...range, bytes: i === 0 ? fields : new Uint8Array(0) }));
  }

  private count(name: string, by: number): void {
    if (name) this.uses.set(name, (this.uses.get(name) ?? 0) + by);
  }

  /** One use less; drops the node that made the value once nobody uses any of its outputs. */
  private release(value: string): void {
    const pending = [value];
    for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
      this.count(name, -1);
      const node = this.producers.get(name);
      if (!node || this.dropped.has(node) || node.outputs.some((output) => (this.uses.get(output) ?? 0) > 0)) continue;
      this.dropped.add(node);
      this.edits.push({ parent: this.graphSpan, start: node.span.fieldStart, end: node.span.end, bytes: new Uint8Array(0) });
      pending.push(...node.inputs, ...capturedBy(node));
    }
  }
}

/** Whether what follows a value, as far as it is constant, is read by these nodes only. */
export function onlyFor(view: GraphView, value: string, nodes: ReadonlySet<OnnxNode>): boolean {
  const pending = [value];
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    if (view.outputs.has(name)) return false;
    for (const { node } of view.uses.get(name) ?? []) {
      if (nodes.has(node)) continue;
      if (node.outputs.some((output) => !view.isConstant(output))) return false;
      pending.push(...node.outputs);
    }
  }
  return true;
}
