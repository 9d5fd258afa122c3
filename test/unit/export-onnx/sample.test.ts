import * as assert from 'node:assert/strict';
import * as fs from 'node:fs/promises';
import * as os from 'node:os';
import * as path from 'node:path';
import { exportOnnx, verifyOnnx } from '../../../extension/core/export/onnx';
import { OnnxSessions } from '../../../extension/kernel-host/onnx-sessions';
import { denseFilters, openTinyModel, readTensors, SAMPLE } from '../graph/support/hyenadna';

describe('ONNX export of the trained sample', () => {
  for (const lowering of ['dft', 'conv', 'function'] as const) {
    it(`${lowering}: plain ONNX Runtime gives the reference logits`, async () => {
      const model = await openTinyModel(path.join(SAMPLE, 'model.safetensors'), 0.05);
      const reference = await readTensors(path.join(SAMPLE, 'reference.safetensors'));
      const folder = await fs.mkdtemp(path.join(os.tmpdir(), 'onnx-sample-'));
      try {
        const output = path.join(folder, 'sample.onnx');
        const result = await exportOnnx({
          graph: model.graph, filters: denseFilters(model), length: 1024, lowering, output,
          source: { name: 'model.safetensors', fingerprint: 'sha256:00' },
          plan: { version: 1, model: { path: 'model.safetensors', family: 'hyenadna', fingerprint: 'sha256:00' }, sites: [] },
        });
        assert.equal(result.bytes, (await fs.stat(output)).size);
        const tokens = Int32Array.from(reference('tokens').subarray(0, 1024));
        const error = await verifyOnnx(output, new OnnxSessions(), tokens, 1, 1024, reference('logits'));
        assert.ok(error <= 1e-4, `relative error ${error}`);
      } finally {
        await fs.rm(folder, { recursive: true });
      }
    });
  }
});
