/**
 * An ONNX model as it lies in its file: what analysis needs, and for every message its place, so that edits can be spliced in and
 * everything else copied byte for byte. Payloads stay on disk. Field numbers and meanings: onnx.proto of the ONNX project.
 */

/** A message in the file: its tag at fieldStart, its length at lengthAt, its content [start, end). The model itself has no parent. */
export interface Span {
  readonly fieldStart: number;
  readonly lengthAt: number;
  readonly start: number;
  readonly end: number;
  readonly parent?: Span;
}

/** A place [start, end) of bytes. */
export interface ByteRange { readonly start: number; readonly end: number }

export interface OnnxModelStructure {
  readonly span: Span;
  readonly irVersion: number;
  readonly producer: string;
  /** Operator set version by domain; '' is the standard one. */
  readonly opsets: ReadonlyMap<string, number>;
  readonly graph: OnnxGraph;
  readonly functions: readonly OnnxFunction[];
  readonly metadata: ReadonlyMap<string, string>;
  /** Whole fields of metadata entries, by key. */
  readonly metadataFields: ReadonlyMap<string, ByteRange>;
  /** Encoded opset_import fields, tag and length included, verbatim. */
  readonly opsetFields: readonly ByteRange[];
}

export interface OnnxGraph {
  readonly span: Span;
  readonly name: string;
  readonly nodes: readonly OnnxNode[];
  readonly initializers: ReadonlyMap<string, OnnxTensor>;
  /** Names of sparse initializers, which are constants too. */
  readonly sparse: ReadonlyMap<string, Span>;
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
  readonly values: ReadonlyMap<string, OnnxValue>;
}

/** Declared type of a value. Undefined dimensions: no shape is declared; null: one of unknown size. */
export interface OnnxValue {
  readonly span: Span;
  readonly name: string;
  /** TensorProto.DataType; 0 where the value is no tensor. */
  readonly elementType: number;
  readonly dimensions?: readonly (number | string | null)[];
}

export interface OnnxNode {
  readonly span: Span;
  readonly name: string;
  readonly op: string;
  readonly domain: string;
  readonly overload: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Where each input's name lies (a field of the node). */
  readonly inputSpans: readonly Span[];
  readonly attributes: ReadonlyMap<string, OnnxAttribute>;
  /** Set where the node is not in the file as it stands here (a function's body at the place of its call): how it is encoded. */
  readonly rewritten?: Rewritten;
}

export interface Rewritten {
  readonly encode: () => Uint8Array;
  /** Nodes of the main graph that this one stands in for; undefined where it is a part of more than one. */
  readonly call: OnnxNode;
  /** The file has another operator there, of the same meaning, that ONNX Runtime cannot run everywhere. */
  readonly otherOperator?: boolean;
}

export interface OnnxAttribute {
  readonly span: Span;
  readonly int?: number;
  readonly float?: number;
  readonly text?: string;
  readonly ints?: readonly number[];
  readonly tensor?: OnnxTensor;
  readonly graphs: readonly OnnxGraph[];
  /** Inside a function: the attribute of the calling node that gives the value. */
  readonly reference?: string;
  /** Places of float32 values (Constant's value_floats), in order. */
  readonly floats?: readonly ByteRange[];
}

export interface OnnxTensor {
  readonly span: Span;
  readonly name: string;
  readonly dims: readonly number[];
  /** TensorProto.DataType */
  readonly type: number;
  /** raw_data: little-endian values. */
  readonly raw?: ByteRange;
  /** float_data, int32_data, int64_data, double_data, uint64_data: places of values or packed lists, in order. */
  readonly typed?: { readonly field: number; readonly ranges: readonly (ByteRange & { readonly packed: boolean })[] };
  readonly external?: ExternalLocation;
  /** Whole fields that say where or what the data is (raw, typed, external_data, data_location), which an edit replaces. */
  readonly dataFields: readonly ByteRange[];
}

export interface ExternalLocation { readonly location: string; readonly offset: number; readonly length?: number }

export interface OnnxFunction {
  readonly span: Span;
  readonly name: string;
  readonly domain: string;
  readonly overload: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: readonly string[];
  readonly nodes: readonly OnnxNode[];
  readonly opsets: ReadonlyMap<string, number>;
  /** Attribute parameters that have a default (attribute_proto). */
  readonly defaults: ReadonlyMap<string, OnnxAttribute>;
}
