import { parseGraph } from './parse-graph';
import { parseAttribute, parseNode, type ParseState } from './parse-node';
import { spanOf } from './parse-tensor';
import type { ByteRange, OnnxAttribute, OnnxFunction, OnnxGraph, OnnxModelStructure, OnnxNode, Span } from './structure';
import { type Field, Wire, type WireReader } from './wire';

/** Oldest file format that has operator sets. */
const OLDEST_IR_VERSION = 3;

/** Reads the structure of a whole model, jumping over payloads. Refuses what is no ONNX model. */
export function parseModel(reader: WireReader): OnnxModelStructure {
  const state: ParseState = { reader, nodes: 0 };
  const span: Span = { fieldStart: 0, lengthAt: 0, start: 0, end: reader.file.size };
  let irVersion = 0;
  let producer = '';
  let graph: OnnxGraph | undefined;
  const opsets = new Map<string, number>();
  const opsetFields: ByteRange[] = [];
  const functions: OnnxFunction[] = [];
  const metadata = new Map<string, string>();
  const metadataFields = new Map<string, ByteRange>();
  for (const field of reader.fields(span.start, span.end)) {
    switch (field.number) {
      case 1: irVersion = field.varint; break;
      case 2: producer = reader.text(field); break;
      case 7:
        if (graph) reader.refuse('DuplicateName', field.start, 'the model has a second graph');
        graph = parseGraph(state, spanOf(reader.message(field), span), 0);
        break;
      case 8:
        readOpset(reader, field, opsets);
        opsetFields.push({ start: field.start, end: field.end });
        break;
      case 14: readMetadata(reader, field, metadata, metadataFields); break;
      case 25: functions.push(parseFunction(state, spanOf(reader.message(field), span))); break;
    }
  }
  if (!graph) return reader.refuse('MissingGraph', 0, 'the file holds no graph, so it is no ONNX model');
  if (irVersion < OLDEST_IR_VERSION || opsets.size === 0) {
    return reader.refuse('MissingVersion', 0, `the model names format version ${irVersion} and ${opsets.size} operator sets, but version ${OLDEST_IR_VERSION} and one set are needed`);
  }
  return { span, irVersion, producer, graph, opsets, opsetFields, functions, metadata, metadataFields };
}

function readOpset(reader: WireReader, field: Field, into: Map<string, number>): void {
  let domain = '';
  let version = 0;
  for (const part of reader.fields(reader.message(field).valueStart, field.end)) {
    if (part.number === 1) domain = reader.text(part);
    if (part.number === 2) version = part.varint;
  }
  into.set(domain === 'ai.onnx' ? '' : domain, version);
}

/** Values longer than a megabyte are not shown. */
function readMetadata(reader: WireReader, field: Field, into: Map<string, string>, places: Map<string, ByteRange>): void {
  let key = '';
  let value = '';
  for (const part of reader.fields(reader.message(field).valueStart, field.end)) {
    if (part.wire !== Wire.Bytes || part.end - part.valueStart > 1 << 20) continue;
    if (part.number === 1) key = reader.text(part, 1 << 20);
    if (part.number === 2) value = reader.text(part, 1 << 20);
  }
  if (into.size >= 1 << 12) return;
  into.set(key, value);
  places.set(key, { start: field.start, end: field.end });
}

function parseFunction(state: ParseState, span: Span): OnnxFunction {
  const { reader } = state;
  const inputs: string[] = [];
  const outputs: string[] = [];
  const attributes: string[] = [];
  const nodes: OnnxNode[] = [];
  const opsets = new Map<string, number>();
  const defaults = new Map<string, OnnxAttribute>();
  let name = '';
  let domain = '';
  let overload = '';
  for (const field of reader.fields(span.start, span.end)) {
    switch (field.number) {
      case 1: name = reader.text(field); break;
      case 4: inputs.push(reader.text(field)); break;
      case 5: outputs.push(reader.text(field)); break;
      case 6: attributes.push(reader.text(field)); break;
      case 7: nodes.push(parseNode(state, spanOf(reader.message(field), span), 1)); break;
      case 9: readOpset(reader, field, opsets); break;
      case 10: domain = reader.text(field); break;
      case 11: {
        const [parameter, attribute] = parseAttribute(state, spanOf(reader.message(field), span), 1);
        defaults.set(parameter, attribute);
        break;
      }
      case 13: overload = reader.text(field); break;
    }
  }
  return { span, name, domain, overload, inputs, outputs, attributes, nodes, opsets, defaults };
}
