import { encodeHeader } from '../formats/onnx/splice';
import { onnx } from './onnx';

type Message = onnx.INodeProto | onnx.IFunctionProto | onnx.ITensorProto;

/** Encoded messages that were read from a user's file. */
const verbatim = new WeakMap<Message, Uint8Array>();

/**
 * Lets a message be encoded as exactly these bytes. onnx-proto drops fields that it does not know, some of which change what a model
 * computes (the `overload` of a function call), so what was read is never encoded anew.
 */
export function encodedAs<M extends Message>(message: M, bytes: Uint8Array): M {
  verbatim.set(message, bytes);
  return message;
}

/** Encodes a model; messages given to encodedAs come out verbatim. Field numbers: onnx.proto. */
export function encodeModel(model: onnx.IModelProto): Uint8Array {
  const { graph, functions, ...rest } = model;
  const { node, initializer, ...graphRest } = graph ?? {};
  const field = (number: number, content: Uint8Array): Uint8Array[] => [encodeHeader(number, content.length), content];
  const graphParts: Uint8Array[] = [
    ...(node ?? []).flatMap((message) => field(1, verbatim.get(message) ?? onnx.NodeProto.encode(message).finish())),
    ...(initializer ?? []).flatMap((message) => field(5, verbatim.get(message) ?? onnx.TensorProto.encode(message).finish())),
    onnx.GraphProto.encode(graphRest).finish(),
  ];
  // Joined once: initializers may be most of the memory.
  return Buffer.concat([
    onnx.ModelProto.encode(rest).finish(),
    ...(functions ?? []).flatMap((message) => field(25, verbatim.get(message) ?? onnx.FunctionProto.encode(message).finish())),
    encodeHeader(7, graphParts.reduce((length, part) => length + part.length, 0)),
    ...graphParts,
  ]);
}
