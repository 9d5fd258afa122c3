// npx tsx test/benchmarks/large-onnx.ts FILE [BLOCKS]: writes an ONNX model of BLOCKS pairs of MatMul with residuals (58: 1.95 GB) and two long
// convolutions of 1,024 channels and taps, for the times of exports in docs/performance.md.
import * as fs from 'node:fs';
import { ElementType, GraphBuilder, int, ints } from '../../extension/core/graph/builder';
import { onnx } from '../../extension/core/graph/onnx';
import { encodeHeader } from '../../extension/core/formats/onnx/splice';
import { noise } from '../unit/graph/support/measure';

const [CHANNELS, INNER, LENGTH] = [1024, 4096, 1024];
const [target, blocks = '58'] = process.argv.slice(2);

const b = new GraphBuilder();
const weights: { readonly name: string; readonly dims: readonly number[]; readonly scale: number }[] = [];
const weight = (name: string, dims: readonly number[], scale: number): string => {
  weights.push({ name, dims, scale });
  return name;
};
const turned = (scope: string, value: string): string => b.node('Transpose', scope, [value], { attributes: { perm: ints([0, 2, 1]) } });

let x = b.input('u', ElementType.FLOAT, [1, LENGTH, CHANNELS]);
for (let i = 0; i < Number(blocks); i++) {
  const scope = `block${i}`;
  if (i === 0 || i === Math.floor(Number(blocks) / 2)) {
    const attributes = { group: int(CHANNELS), kernel_shape: ints([LENGTH]), pads: ints([LENGTH - 1, 0]) };
    const y = b.node('Conv', scope, [turned(scope, x), weight(`${scope}/k`, [CHANNELS, 1, LENGTH], 0.01)], { attributes });
    x = b.node('Tanh', scope, [turned(scope, y)]);
  }
  const inner = b.node('Tanh', scope, [b.node('MatMul', scope, [x, weight(`${scope}/a`, [CHANNELS, INNER], CHANNELS ** -0.5)])]);
  x = b.node('Add', scope, [x, b.node('MatMul', scope, [inner, weight(`${scope}/b`, [INNER, CHANNELS], INNER ** -0.5)])]);
}
b.output(x, ElementType.FLOAT, [1, LENGTH, CHANNELS]);

const graph = onnx.GraphProto.encode(b.graph('large')).finish();
// Weights are written one after the other: all of them together are no message that can be encoded in memory.
const heads = weights.map(({ name, dims }) => {
  const bytes = 4 * dims.reduce((product, dim) => product * dim, 1);
  const head = Buffer.concat([onnx.TensorProto.encode({ name, dims: [...dims], dataType: ElementType.FLOAT }).finish(), encodeHeader(9, bytes)]);
  return { bytes, head: Buffer.concat([encodeHeader(5, head.length + bytes), head]) };
});
const size = heads.reduce((sum, { head, bytes }) => sum + head.length + bytes, graph.length);
const file = fs.openSync(target, 'w');
fs.writeSync(file, onnx.ModelProto.encode({ irVersion: 8, opsetImport: [{ domain: '', version: 17 }] }).finish());
fs.writeSync(file, Buffer.concat([encodeHeader(7, size), graph]));
weights.forEach(({ scale }, i) => {
  fs.writeSync(file, heads[i].head);
  fs.writeSync(file, noise(heads[i].bytes / 4, i + 1).map((value) => scale * value));
});
fs.closeSync(file);
