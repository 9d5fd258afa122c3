import * as fs from 'node:fs';
import { encodeHeader } from '../../../../extension/core/formats/onnx/splice';
import { onnx } from '../../../../extension/core/graph/onnx';
import { addConvolution, decaying, encode, finish, H, signalBuilder, T } from './build';

/** A depthwise causal convolution with the stored filter `k` [H, 1, T]. */
export function convolutionModel(): onnx.ModelProto {
  const { b, u } = signalBuilder();
  finish(b, addConvolution(b, 'conv', u, b.floats('k', [H, 1, T], decaying(H, T)), T));
  return onnx.ModelProto.decode(encode(b));
}

/** The same with a table of `bytes` zeros, which nothing reads and which take no room on disk, beside its filter. */
export function writeBigModel(target: string, bytes: number): void {
  const message = convolutionModel();
  const graph = onnx.GraphProto.encode(message.graph!).finish();
  const tensor = onnx.TensorProto.encode({ name: 'table', dims: [bytes / 4], dataType: 1 }).finish();
  const dataHeader = encodeHeader(9, bytes);
  const tensorLength = tensor.length + dataHeader.length + bytes;
  const tensorHeader = encodeHeader(5, tensorLength);
  const head = onnx.ModelProto.encode({ irVersion: message.irVersion, opsetImport: message.opsetImport }).finish();
  const start = Buffer.concat([head, encodeHeader(7, graph.length + tensorHeader.length + tensorLength), graph, tensorHeader, tensor, dataHeader]);
  fs.writeFileSync(target, start);
  fs.truncateSync(target, start.length + bytes);
}

/** First and last byte that differ within the common length, and how many bytes the second file has more, read in pieces. */
export function differingBytes(a: string, b: string): { first: number; last: number; extra: number } {
  const [one, two] = [fs.openSync(a, 'r'), fs.openSync(b, 'r')];
  const size = fs.fstatSync(one).size;
  let first = Infinity;
  let last = -1;
  const [x, y] = [Buffer.alloc(1 << 22), Buffer.alloc(1 << 22)];
  for (let at = 0; at < size; at += x.length) {
    const count = Math.min(x.length, size - at);
    fs.readSync(one, x, 0, count, at);
    fs.readSync(two, y, 0, count, at);
    if (x.compare(y, 0, count, 0, count) === 0) continue;
    for (let i = 0; i < count; i++) {
      if (x[i] === y[i]) continue;
      first = Math.min(first, at + i);
      last = at + i;
    }
  }
  const extra = fs.fstatSync(two).size - size;
  fs.closeSync(one);
  fs.closeSync(two);
  return { first, last, extra };
}
