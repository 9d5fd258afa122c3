import { parseGraph } from './parse-graph';
import { parseTensor, spanOf } from './parse-tensor';
import type { ByteRange, OnnxAttribute, OnnxGraph, OnnxNode, OnnxTensor, Span } from './structure';
import { Wire, type WireReader } from './wire';

/** Subgraphs inside subgraphs; exporters nest three or four. */
const DEEPEST = 32;
/** Nodes of a whole model, subgraphs included. */
const MOST_NODES = 200_000;
const NO_ATTRIBUTES: ReadonlyMap<string, OnnxAttribute> = new Map();
const NO_GRAPHS: readonly OnnxGraph[] = [];

/** What a parse counts to stay bounded. */
export interface ParseState { readonly reader: WireReader; nodes: number }

/** A NodeProto. */
export function parseNode(state: ParseState, span: Span, depth: number): OnnxNode {
  const { reader } = state;
  if (++state.nodes > MOST_NODES) reader.refuse('TooManyNodes', span.fieldStart, `the model has more than ${MOST_NODES} nodes`, 'No exporter writes such files.');
  const inputs: string[] = [];
  const outputs: string[] = [];
  const inputSpans: Span[] = [];
  let name = '';
  let op = '';
  let domain = '';
  let overload = '';
  let attributes: Map<string, OnnxAttribute> | undefined;
  for (const field of reader.fields(span.start, span.end)) {
    switch (field.number) {
      case 1:
        inputs.push(reader.text(field));
        inputSpans.push(spanOf(field, span));
        break;
      case 2: outputs.push(reader.text(field)); break;
      case 3: name = reader.text(field); break;
      case 4: op = reader.text(field); break;
      case 5: {
        const [attributeName, attribute] = parseAttribute(state, spanOf(reader.message(field), span), depth);
        (attributes ??= new Map()).set(attributeName, attribute);
        break;
      }
      case 7: domain = reader.text(field); break;
      case 8: overload = reader.text(field); break;
    }
  }
  if (op === '') reader.refuse('MissingOperator', span.fieldStart, 'a node names no operator');
  return { span, name, op, domain: domain === 'ai.onnx' ? '' : domain, overload, inputs, outputs, inputSpans, attributes: attributes ?? NO_ATTRIBUTES };
}

/** An AttributeProto and its name. */
export function parseAttribute(state: ParseState, span: Span, depth: number): [name: string, attribute: OnnxAttribute] {
  const { reader } = state;
  let name = '';
  let int: number | undefined;
  let float: number | undefined;
  let text: string | undefined;
  let tensor: OnnxTensor | undefined;
  let reference: string | undefined;
  let ints: number[] | undefined;
  let floats: ByteRange[] | undefined;
  let graphs: OnnxGraph[] | undefined;
  for (const field of reader.fields(span.start, span.end)) {
    switch (field.number) {
      case 1: name = reader.text(field); break;
      case 2:
        if (field.wire === Wire.Fixed32) float = reader.file.bytes(field.valueStart, field.end).readFloatLE();
        break;
      case 3: int = field.varint; break;
      // Texts of custom operators may be anything of any size; those that are read here are words.
      case 4: if (field.end - field.valueStart <= 1 << 12) text = reader.text(field); break;
      case 5: tensor = parseTensor(reader, spanOf(reader.message(field), span)); break;
      case 6: case 11:
        if (depth >= DEEPEST) reader.refuse('TooDeep', field.start, `subgraphs are nested more than ${DEEPEST} deep`);
        (graphs ??= []).push(parseGraph(state, spanOf(reader.message(field), span), depth + 1));
        break;
      case 7: (floats ??= []).push({ start: field.valueStart, end: field.end }); break;
      case 8: reader.integers(field, (ints ??= [])); break;
      case 21: reference = reader.text(field) || undefined; break;
    }
  }
  return [name, { span, int, float, text, tensor, ints, floats, reference, graphs: graphs ?? NO_GRAPHS }];
}
