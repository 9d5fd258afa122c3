import * as assert from 'node:assert/strict';
import * as fs from 'node:fs/promises';
import * as os from 'node:os';
import * as path from 'node:path';
import { exportOnnx, type Lowering, verifyOnnx } from '../../../../extension/core/export/onnx';
import type { Engine } from '../../../../extension/core/engine/engine';
import type { LongConvModel } from '../../../../extension/core/families/model';
import { openModel } from '../../../../extension/core/families/registry';
import { ModelRunner } from '../../../../extension/core/graph/runtime';
import { siteFilter } from '../../../../extension/core/plan/apply';
import type { ChannelMask, FrequencyPattern, SurgeryPlan } from '../../../../extension/core/plan/plan';
import type { SiteFilter } from '../../../../extension/core/plan/site-filter';
import { OnnxSessions } from '../../../../extension/kernel-host/onnx-sessions';
import { GOLDEN, readTensors, SAMPLE } from '../../graph/support/hyenadna';
import { relativeError } from '../../graph/support/measure';

const LENGTH = 1024;
const grid = { fftSize: 2048, factors: [16, 16, 8], taps: LENGTH };
const frequency = (keep: FrequencyPattern): ChannelMask => ({ frequency: { grid, symmetry: 'conjugate', keep } });

interface Surgery { readonly masks: readonly ChannelMask[]; readonly recausalise?: boolean }
const SURGERIES: Readonly<Record<string, Surgery>> = {
  'no masks': { masks: [] },
  'partial 64': { masks: [{ partial: { taps: 64 } }] },
  'lowpass 1/4': { masks: [frequency({ kind: 'lowpass', fraction: 0.25 })] },
  'block 8.8.8, re-causalised': { masks: [frequency({ kind: 'block', counts: [8, 8, 8] })], recausalise: true },
  'comb and partial on channel ranges': {
    masks: [{ ...frequency({ kind: 'comb', rows: 8 }), channels: [0, 50] }, { partial: { taps: 100, taper: 10 }, channels: [60, 128] }],
  },
};

/**
 * The whole way of a HyenaDNA model from its file to logits with the given engine, against the original code's logits, and under real
 * surgeries against the exported graphs in plain ONNX Runtime.
 */
export function describeWholeWay(title: string, makeEngine: () => Engine): void {
  describe(title, () => {
    let engine: Engine;
    const sessions = new OnnxSessions();
    let folder: string;
    before(async () => {
      engine = makeEngine();
      folder = await fs.mkdtemp(path.join(os.tmpdir(), 'native-graph-'));
    });
    after(() => fs.rm(folder, { recursive: true }));

    const filtersOf = async (model: LongConvModel, { masks, recausalise = false }: Surgery): Promise<Map<string, SiteFilter>> => {
      const filters = new Map<string, SiteFilter>();
      for (const site of model.sites) filters.set(site.id, await siteFilter(model, site, masks, engine, { recausalise }));
      return filters;
    };
    const run = async (model: LongConvModel, filters: ReadonlyMap<string, SiteFilter>, ids: Int32Array): Promise<Float32Array> => {
      const runner = await ModelRunner.create({ graph: await model.graph(), sessions, engine, filters, maxLength: ids.length });
      try {
        return await runner.run(ids, 1, ids.length);
      } finally {
        await runner.dispose();
      }
    };

    it('gives the logits and per-token losses of the trained sample', async () => {
      const reference = await readTensors(path.join(SAMPLE, 'reference.safetensors'));
      const tokens = Int32Array.from(reference('tokens'));
      const model = await openModel(path.join(SAMPLE, 'model.safetensors'));
      const logits = await run(model, await filtersOf(model, { masks: [] }), tokens.subarray(0, LENGTH));
      await model.close();
      const error = relativeError(logits, reference('logits'));
      assert.ok(error <= 1e-4, `relative error ${error}`);
      reference('nll').forEach((expected, t) => {
        const row = logits.subarray(16 * t, 16 * (t + 1));
        const loss = Math.log(row.reduce((sum, x) => sum + Math.exp(x), 0)) - row[tokens[t + 1]];
        assert.ok(Math.abs(loss - expected) <= 1e-4, `position ${t}: ${loss} instead of ${expected}`);
      });
    });

    const cases = [['hyenadna-hf-a', 0.05, ''], ['hyenadna-lightning-a', 0, ''], ['hyenadna-lightning-a', 0.05, 'shift005.']] as const;
    for (const [name, shift, prefix] of cases) {
      for (const input of ['full', 'short']) {
        it(`gives the ${input} logits of the original code for ${name} ${prefix}`, async () => {
          const expected = await readTensors(path.join(GOLDEN, name, prefix ? 'expected.safetensors' : 'expected_f64.safetensors'));
          const ids = (await readTensors(path.join(GOLDEN, name, 'expected.safetensors')))(`${input}.input_ids`);
          const model = await openModel(path.join(GOLDEN, name, 'model.safetensors'), { shift });
          const logits = await run(model, await filtersOf(model, { masks: [] }), Int32Array.from(ids));
          const error = relativeError(logits, expected(`${prefix}${input}.logits`));
          await model.close();
          assert.ok(error <= 1e-4, `relative error ${error}`);
        });
      }
    }

    for (const [name, surgery] of Object.entries(SURGERIES)) {
      it(`gives what the exported graph gives in plain ONNX Runtime: ${name}`, async () => {
        const reference = await readTensors(path.join(SAMPLE, 'reference.safetensors'));
        const ids = Int32Array.from(reference('tokens').subarray(0, LENGTH));
        const model = await openModel(path.join(SAMPLE, 'model.safetensors'));
        const filters = await filtersOf(model, surgery);
        const expected = await run(model, filters, ids);
        if (surgery.masks.length) assert.ok(relativeError(expected, reference('logits')) > 1e-3, 'the mask changes nothing');
        const output = path.join(folder, 'exported.onnx');
        const fingerprint = 'sha256:00';
        const plan: SurgeryPlan = { version: 1, model: { path: 'model.safetensors', family: model.family, fingerprint }, sites: [] };
        for (const lowering of ['dft', 'conv', 'function'] satisfies Lowering[]) {
          const source = { name: model.name, fingerprint };
          await exportOnnx({ graph: await model.graph(), filters, length: LENGTH, lowering, output, source, plan });
          const error = await verifyOnnx(output, sessions, ids, 1, LENGTH, expected);
          assert.ok(error <= 1e-5, `${lowering}: relative error ${error}`);
        }
        await model.close();
      });
    }
  });
}
