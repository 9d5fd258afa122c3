import * as path from 'node:path';
import { UserError } from '../../errors';
import { bitsOf, isFloatDType } from '../dtype';
import { firstBytes } from '../first-bytes';
import { widenBfloat16, widenFloat16 } from '../float16';
import type { TensorFile, TensorInfo } from '../tensor-file';
import { onnxDType } from './element-type';
import { ExternalData } from './external-data';
import { PagedFile } from './paged-file';
import { parseModel } from './parse';
import { tensorBytes, tensorElements } from './parse-tensor';
import { OnnxError, type RefuseOnnx } from './refusal';
import type { OnnxGraph, OnnxModelStructure, OnnxNode, OnnxTensor } from './structure';
import { plainBytes, readTensorBytes } from './tensor-data';
import { WireReader } from './wire';

/** Constants of at most this many elements (axes, shapes, factors) are not listed as tensors. */
const LISTED_CONSTANT = 16;
/** Elements that are converted at a time where the element type is not float32. */
const CONVERTED_AT_ONCE = 1 << 20;

/**
 * Opens an ONNX model of any size: reads its structure and leaves tensor data on disk, in the file or in the data files beside it,
 * until asked for. Throws UserError with the byte offset and the broken rule.
 */
export async function openOnnx(file: string): Promise<OnnxFile> {
  const absolute = path.resolve(file);
  // Refuses folders, pipes and devices.
  await firstBytes(absolute);
  const refuse: RefuseOnnx = (rule, offset, reason, hint) => {
    throw new OnnxError(absolute, rule, offset, reason, hint);
  };
  const bytes = PagedFile.open(absolute);
  try {
    const structure = parseModel(new WireReader(bytes, refuse));
    const listed = namedTensors(structure);
    return new OnnxFile(absolute, bytes, structure, listed, await ExternalData.check(absolute, allTensors(structure), refuse));
  } catch (cause) {
    bytes.close();
    throw cause;
  }
}

/** An open ONNX model: its structure, and its tensors under names that are unique in the whole file. */
export class OnnxFile implements TensorFile {
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /** Tensors of types that cannot be shown. */
  readonly unlisted: number;
  private decoded?: { readonly tensor: OnnxTensor; readonly bytes: Uint8Array };
  private names?: ReadonlyMap<OnnxTensor, string>;

  constructor(
    readonly path: string, readonly bytes: PagedFile, readonly structure: OnnxModelStructure,
    private readonly stored: ReadonlyMap<string, OnnxTensor>, readonly external: ExternalData,
  ) {
    const shown = new Map<string, TensorInfo>();
    for (const [name, tensor] of stored) {
      const dtype = onnxDType(tensor.type);
      if (dtype) shown.set(name, { name, dtype, shape: tensor.dims, byteLength: tensorBytes(tensor) });
    }
    this.tensors = shown;
    this.unlisted = stored.size - shown.size;
  }

  get files(): readonly string[] {
    return [this.path, ...this.external.locations.map((location) => this.external.absolute(location))];
  }

  get metadata(): ReadonlyMap<string, string> {
    return this.structure.metadata;
  }

  /** Where a listed tensor lies. */
  storedTensor(name: string): OnnxTensor | undefined {
    return this.stored.get(name);
  }

  /** The name under which a tensor is listed. */
  nameOf(tensor: OnnxTensor): string {
    this.names ??= new Map([...this.stored].map(([name, known]) => [known, name]));
    return this.names.get(tensor) ?? tensor.name;
  }

  /** Little-endian bytes [begin, end) of a tensor's values; see readBytes for `into`. */
  tensorBytes(tensor: OnnxTensor, begin?: number, end?: number, into?: Uint8Array): Uint8Array {
    if (plainBytes(tensor, this.bytes, this.external)) return readTensorBytes(tensor, this.bytes, this.external, begin, end, into);
    // Lists of numbers are decoded as a whole, and often read piece by piece.
    if (this.decoded?.tensor !== tensor) this.decoded = { tensor, bytes: readTensorBytes(tensor, this.bytes, this.external) };
    return this.decoded.bytes.slice(begin, end);
  }

  async readBytes(name: string, begin?: number, end?: number, into?: Uint8Array): Promise<Uint8Array> {
    return this.tensorBytes(this.tensor(name), begin, end, into);
  }

  async readFloat32(name: string, begin?: number, end?: number): Promise<Float32Array> {
    const tensor = this.tensor(name);
    const dtype = onnxDType(tensor.type);
    if (!dtype || !isFloatDType(dtype)) {
      throw new UserError(`Tensor ${JSON.stringify(name)} of ${this.path} holds ${dtype ?? 'other'} values where floating-point numbers are needed.`);
    }
    const from = begin ?? 0;
    const to = end ?? tensorElements(tensor);
    const width = bitsOf(dtype) / 8;
    if (dtype === 'F32') return new Float32Array(aligned(this.tensorBytes(tensor, 4 * from, 4 * to)));
    const result = new Float32Array(to - from);
    for (let done = 0; done < result.length; done += CONVERTED_AT_ONCE) {
      const count = Math.min(CONVERTED_AT_ONCE, result.length - done);
      const chunk = aligned(this.tensorBytes(tensor, (from + done) * width, (from + done + count) * width));
      if (dtype === 'F64') result.set(new Float64Array(chunk), done);
      else (dtype === 'F16' ? widenFloat16 : widenBfloat16)(new Uint16Array(chunk), result, done);
    }
    return result;
  }

  async close(): Promise<void> {
    this.external.close();
    this.bytes.close();
  }

  private tensor(name: string): OnnxTensor {
    const tensor = this.stored.get(name);
    if (!tensor) throw new UserError(`${this.path} has no tensor named ${JSON.stringify(name)}.`);
    return tensor;
  }
}

/** A buffer that holds exactly these bytes, so that it can be viewed as wider elements. */
function aligned(bytes: Uint8Array): ArrayBuffer {
  return bytes.byteLength === bytes.buffer.byteLength ? (bytes.buffer as ArrayBuffer) : (bytes.slice().buffer as ArrayBuffer);
}

/** Every tensor of a model with the graph it belongs to as a prefix; '' is the main graph. */
function* tensorsWithScope(structure: OnnxModelStructure): Generator<[scope: string, name: string, tensor: OnnxTensor, constant: boolean]> {
  function* ofNodes(nodes: readonly OnnxNode[], scope: string): Generator<[string, string, OnnxTensor, boolean]> {
    for (const node of nodes) {
      for (const [attribute, { tensor, graphs }] of node.attributes) {
        if (tensor) yield [scope, node.outputs[0] || node.name || attribute, tensor, true];
        for (const graph of graphs) yield* ofGraph(graph, `${scope}${node.name || node.op}/${attribute}/`);
      }
    }
  }
  function* ofGraph(graph: OnnxGraph, scope: string): Generator<[string, string, OnnxTensor, boolean]> {
    for (const [name, tensor] of graph.initializers) yield [scope, name, tensor, false];
    yield* ofNodes(graph.nodes, scope);
  }
  yield* ofGraph(structure.graph, '');
  for (const fn of structure.functions) yield* ofNodes(fn.nodes, `${fn.domain}:${fn.name}/`);
}

function* allTensors(structure: OnnxModelStructure): Generator<OnnxTensor> {
  for (const [, , tensor] of tensorsWithScope(structure)) yield tensor;
}

function namedTensors(structure: OnnxModelStructure): Map<string, OnnxTensor> {
  const named = new Map<string, OnnxTensor>();
  const repeated = new Map<string, number>();
  for (const [scope, name, tensor, constant] of tensorsWithScope(structure)) {
    if (constant && tensorElements(tensor) <= LISTED_CONSTANT) continue;
    const full = `${scope}${name}`;
    const times = repeated.get(full) ?? 0;
    repeated.set(full, times + 1);
    named.set(times === 0 ? full : `${full} (${times + 1})`, tensor);
  }
  return named;
}
