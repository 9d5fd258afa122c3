import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { exportInPlace } from '../../../extension/core/export/onnx/in-place';
import { constantTensor } from '../../../extension/core/graph/tensor-data';
import { randomFeeds } from '../../../extension/core/graph/feeds';
import { onnx } from '../../../extension/core/graph/onnx';
import { fixture, temporaryFolder } from '../support/files';
import { keptFilters, open, planOf, relative, runHere, runThere, verifiedByParts } from './support/models';

/** Site of each file: direction, channels, taps, storage, and the error of ONNX Runtime's own transforms where they are not a power of two. */
const LONG_CONVOLUTIONS: Readonly<Record<string, readonly [string, number, number, string, number?]>> = {
  conv1d_0: ['causal', 8, 64, 'explicit'],
  hyena_conv_0: ['causal', 8, 64, 'implicit'],
  m_full_time_18: ['causal', 4, 256, 'explicit'],
  m_hermitian_time_20: ['causal', 4, 256, 'explicit'],
  m_onesided_freq_20: ['bidirectional', 4, 256, 'explicit'],
  m_torchlib_static: ['causal', 8, 300, 'implicit', 1e-4],
};

describe('long convolutions as exporters write them', () => {
  const temporary = temporaryFolder();
  for (const [name, [direction, channels, taps, storage, tolerance = 1e-6]] of Object.entries(LONG_CONVOLUTIONS)) {
    it(`${name}: found, run, masked`, async () => {
      const file = fixture(`onnx-longconv/${name}.onnx`);
      const model = await open(file);
      try {
        assert.deepEqual(model.sites.map((site) => [site.direction, site.channels, site.taps, site.storage]), [[direction, channels, taps, storage]]);
        const feeds = randomFeeds(await model.graph(), model.maxLength, 0, 1);
        const output = (await model.graph()).output;
        const own = await runThere(file, feeds);
        const dense = await runHere(model, await keptFilters(model), feeds);
        assert.ok(relative(dense.get(output), own.get(output)) < tolerance, `dense: ${relative(dense.get(output), own.get(output))}`);

        const ones = temporary.file(`${name}-ones.onnx`);
        await exportInPlace({ model, plan: planOf(model), filters: await keptFilters(model), recausalise: false, output: ones, dataFile: 'data' });
        assert.deepEqual((await runThere(ones, feeds)).get(output), own.get(output));

        const filters = await keptFilters(model, Math.floor(taps / 2));
        const half = temporary.file(`${name}-half.onnx`);
        const { touched: halved } = await exportInPlace({ model, plan: planOf(model), filters, recausalise: false, output: half, dataFile: 'data' });
        const masked = (await runHere(model, filters, feeds)).get(output);
        assert.ok(relative(masked, own.get(output)) > 1e-3, 'the mask does something');
        const difference = relative((await runThere(half, feeds)).get(output), masked);
        assert.ok(difference < tolerance, `half: ${difference}`);
        const halfByParts = await verifiedByParts(model, half, filters, halved);
        assert.ok(halfByParts < tolerance, `half, by parts: ${halfByParts}`);

        for (const lowering of ['conv', 'dft', 'function'] as const) {
          const lowered = temporary.file(`${name}-${lowering}.onnx`);
          const { touched } = await exportInPlace({ model, plan: planOf(model), filters, lowering, recausalise: false, output: lowered, dataFile: 'data' });
          const error = relative((await runThere(lowered, feeds)).get(output), masked);
          assert.ok(error < 2e-6, `${lowering}: ${error}`);
          const ofParts = await verifiedByParts(model, lowered, filters, touched);
          assert.ok(ofParts < 2e-6, `${lowering}, by parts: ${ofParts}`);
        }
      } finally {
        await model.close();
      }
    });
  }
});

describe('the ONNX conformance cases through our runtime', () => {
  const folder = fixture('onnx-node');
  for (const name of fs.readdirSync(folder)) {
    it(name, async () => {
      const model = await open(path.join(folder, name, 'model.onnx'));
      try {
        assert.deepEqual(model.sites, []);
        const graph = await model.graph();
        const load = (kind: string, i: number) => constantTensor(onnx.TensorProto.decode(fs.readFileSync(path.join(folder, name, 'test_data_set_0', `${kind}_${i}.pb`))));
        const feeds = new Map(graph.feeds!.map((feed, i) => [feed.name, load('input', i)]));
        const result = (await runHere(model, new Map(), feeds)).get(graph.output);
        const error = relative(result, load('output', 0));
        assert.ok(error < 1e-5, `${error}`);
      } finally {
        await model.close();
      }
    });
  }
});
