import { parseNode, type ParseState } from './parse-node';
import { parseTensor, spanOf } from './parse-tensor';
import type { OnnxGraph, OnnxNode, OnnxTensor, OnnxValue, Span } from './structure';
import { type Field, Wire, type WireReader } from './wire';

/** A GraphProto, subgraphs included. */
export function parseGraph(state: ParseState, span: Span, depth: number): OnnxGraph {
  const { reader } = state;
  const nodes: OnnxNode[] = [];
  const initializers = new Map<string, OnnxTensor>();
  const sparse = new Map<string, Span>();
  const inputs: OnnxValue[] = [];
  const outputs: OnnxValue[] = [];
  const values = new Map<string, OnnxValue>();
  let name = '';
  for (const field of reader.fields(span.start, span.end)) {
    if (field.number === 2) {
      name = reader.text(field);
      continue;
    }
    if (field.wire !== Wire.Bytes) continue;
    const child = spanOf(field, span);
    switch (field.number) {
      case 1: nodes.push(parseNode(state, child, depth)); break;
      case 5: {
        const tensor = parseTensor(reader, child);
        if (initializers.has(tensor.name)) reader.refuse('DuplicateName', field.start, `a second initializer is named ${JSON.stringify(tensor.name.slice(0, 80))}`);
        initializers.set(tensor.name, tensor);
        break;
      }
      case 11: inputs.push(parseValue(reader, child)); break;
      case 12: outputs.push(parseValue(reader, child)); break;
      case 13: {
        const value = parseValue(reader, child);
        values.set(value.name, value);
        break;
      }
      case 15: sparse.set(sparseName(reader, field), child); break;
    }
  }
  return { span, name, nodes, initializers, sparse, inputs, outputs, values };
}

/** A sparse tensor is named by its list of values. */
function sparseName(reader: WireReader, field: Field): string {
  for (const part of reader.fields(field.valueStart, field.end)) {
    if (part.number !== 1) continue;
    for (const inner of reader.fields(reader.message(part).valueStart, part.end)) if (inner.number === 8) return reader.text(inner);
  }
  return '';
}

/** A ValueInfoProto. */
export function parseValue(reader: WireReader, span: Span): OnnxValue {
  let name = '';
  let elementType = 0;
  let dimensions: (number | string | null)[] | undefined;
  for (const field of reader.fields(span.start, span.end)) {
    if (field.number === 1) name = reader.text(field);
    if (field.number !== 2) continue;
    for (const kind of reader.fields(reader.message(field).valueStart, field.end)) {
      // tensor_type; sequences, maps and optionals have no shape that matters here.
      if (kind.number !== 1) continue;
      for (const part of reader.fields(reader.message(kind).valueStart, kind.end)) {
        if (part.number === 1) elementType = part.varint;
        if (part.number === 2) dimensions = parseShape(reader, reader.message(part));
      }
    }
  }
  return { span, name, elementType, ...(dimensions && { dimensions }) };
}

function parseShape(reader: WireReader, shape: Field): (number | string | null)[] {
  const dimensions: (number | string | null)[] = [];
  for (const dim of reader.fields(shape.valueStart, shape.end)) {
    if (dim.number !== 1) continue;
    let size: number | string | null = null;
    for (const part of reader.fields(reader.message(dim).valueStart, dim.end)) {
      if (part.number === 1) size = part.varint >= 0 && Number.isSafeInteger(part.varint) ? part.varint : null;
      if (part.number === 2) size = reader.text(part) || null;
    }
    dimensions.push(size);
  }
  return dimensions;
}
