import * as assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs/promises';
import * as os from 'node:os';
import * as path from 'node:path';
import { build } from 'esbuild';

const GRAPH = path.join(__dirname, '../../../extension/core/graph');

/** Decodes wire bytes written by hand, encodes them again and prints both as hex. */
const SCRIPT = `
import { onnx } from './onnx';
const varint = (value: bigint): number[] => {
  const bytes: number[] = [];
  for (; value >= 128n; value >>= 7n) bytes.push(Number(value & 127n) | 128);
  return [...bytes, Number(value)];
};
// AttributeProto: i is field 3 (int64); ModelProto: model_version is field 5 (int64); TensorProto: uint64_data is field 11, packed.
for (const value of [9223372036854775807n, 9007199254740993n, 2n ** 64n - 1n]) {
  const attribute = Buffer.from([0x18, ...varint(value)]);
  const model = Buffer.from([0x28, ...varint(value)]);
  const tensor = Buffer.from([0x5a, varint(value).length, ...varint(value)]);
  for (const [type, bytes] of [[onnx.AttributeProto, attribute], [onnx.ModelProto, model], [onnx.TensorProto, tensor]] as const) {
    const again = Buffer.from(type.encode(type.decode(bytes)).finish());
    console.log(bytes.toString('hex'), again.toString('hex'));
  }
}
`;

describe('int64 values of ONNX files', () => {
  it('survive decoding and encoding in an esbuild bundle', async () => {
    const folder = await fs.mkdtemp(path.join(os.tmpdir(), 'onnx-int64-'));
    try {
      const bundle = path.join(folder, 'bundle.cjs');
      await build({
        stdin: { contents: SCRIPT, resolveDir: GRAPH, loader: 'ts' },
        outfile: bundle, bundle: true, platform: 'node', format: 'cjs', target: 'node20',
      });
      const lines = execFileSync(process.execPath, [bundle], { encoding: 'utf8', cwd: folder }).trim().split('\n');
      assert.equal(lines.length, 9);
      for (const line of lines) {
        const [before, after] = line.split(' ');
        assert.equal(after, before);
      }
    } finally {
      await fs.rm(folder, { recursive: true });
    }
  });
});
