import * as assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { applySurgeryScript, isApplySurgeryScript } from '../../../extension/core/export/apply-surgery';
import { openModel } from '../../../extension/core/families/registry';
import type { SurgeryPlan } from '../../../extension/core/plan/plan';
import { GOLDEN, run, temporaryFolder } from '../cli/cli';
import { readTensor, relativeError, writeIds } from '../cli/tensors';
import { fixture } from '../support/files';

const HF = path.join(GOLDEN, 'hyenadna-hf-a');
/** A Python that has PyTorch; undefined on machines without one. */
const python = [process.env.PYTHON, 'python3', '/usr/bin/python3'].find((command) => command !== undefined && spawnSync(command, ['-c', 'import torch']).status === 0);

describe('apply_surgery.py', function () {
  this.timeout(120_000);

  it('names the module and the taps of every masked site', async () => {
    for (const [golden, module] of [['hyenadna-hf-a', 'hyena.backbone.layers.1.mixer.filter_fn'], ['hyenadna-lightning-a', 'model.backbone.layers.1.mixer.layer.filter_fn']]) {
      const model = await openModel(path.join(GOLDEN, golden));
      const plan: SurgeryPlan = { version: 1, model: { path: 'm', family: model.family, fingerprint: `sha256:${'0'.repeat(64)}` }, sites: [{ site: model.sites[1].id, masks: [{ partial: { taps: 8 } }] }] };
      const script = applySurgeryScript(model, plan, '/somewhere/it"s.safetensors') ?? '';
      assert.ok(isApplySurgeryScript(script) && script.includes('EXPORT = "it\\"s.safetensors"') && !script.includes('@'));
      assert.deepEqual(JSON.parse(/^SITES = (\{[^}]*\})/m.exec(script)![1]), { [model.sites[1].id]: [module, model.sites[1].taps] });
      const unknown = Object.create(model, { sites: { value: model.sites.map((site) => ({ ...site, hyenaFilter: undefined })) } }) as typeof model;
      assert.equal(applySurgeryScript(unknown, plan, 'x'), undefined);
      await model.close();
    }
  });

  if (python !== undefined) {
    const folder = temporaryFolder();
    const file = (name: string): string => path.join(folder, name);
    after(() => fs.rmSync(folder, { recursive: true }));

    const [model, plan, output, ids, result] = [path.join(HF, 'model.safetensors'), file('p.surgery.json'), file('x.safetensors'), file('ids.safetensors'), file('out.safetensors')];
    const runPython = (shift: string): { status: number | null; stderr: string } =>
      spawnSync(python, [fixture('pytorch/run_surgery.py'), file('apply_surgery.py'), output, model, ids, result, shift], { encoding: 'utf8' });
    /** Every kind of mask at once, on the grid of the plan. */
    const mixed = (made: SurgeryPlan): SurgeryPlan => {
      const { grid } = made.sites[0].masks[0].frequency!;
      const cells = { digits: [0, grid.factors.length - 1], runs: [0, 20, 31, 50] };
      return {
        ...made, sites: [
          { site: made.sites[0].site, masks: [
            { channels: [1, 8], frequency: { grid, symmetry: 'conjugate', keep: { kind: 'block', counts: grid.factors.map((factor) => Math.ceil(factor / 2)) } }, partial: { taps: 30, taper: 7 } },
            { channels: [8, 20], frequency: { grid, symmetry: 'gain', keep: { kind: 'comb', rows: 3 } } },
            { channels: [20, 25], frequency: { grid, symmetry: 'conjugate', keep: { kind: 'bandpass', from: 0.1, to: 0.7 } } },
          ] },
          { site: made.sites[1].site, masks: [{ frequency: { grid, symmetry: 'gain', keep: { kind: 'cells', cells } } }] },
        ],
      };
    };

    const cases: readonly (readonly [what: string, change: (made: SurgeryPlan) => SurgeryPlan, exportOptions: string[]])[] = [
      ['baked', (made) => made, []],
      ['sidecar, every kind of mask', mixed, ['--form', 'sidecar']],
    ];
    for (const [what, change, exportOptions] of cases) {
      it(`gives PyTorch the logits of the plan: ${what}`, async () => {
        await writeIds(ids, (await readTensor(path.join(HF, 'expected.safetensors'), 'full.input_ids')).values.subarray(0, 64));
        await run('plan', model, '--lowpass', '0.4', '-o', plan);
        fs.writeFileSync(plan, JSON.stringify(change(JSON.parse(fs.readFileSync(plan, 'utf8')) as SurgeryPlan)));
        await run('export', plan, '--format', 'safetensors', ...exportOptions, '-o', output);
        await run('forward', plan, '--input', ids, '-o', file('expected.safetensors'));
        const { status, stderr } = runPython('0.05');
        assert.equal(status, 0, stderr);
        // The module of the test is the original's equal: the golden logits are those of the original code.
        const [original, masked] = [await readTensor(result, 'original'), await readTensor(result, 'masked')];
        const golden = (await readTensor(path.join(HF, 'expected_f64.safetensors'), 'full.logits')).values.subarray(0, original.values.length);
        assert.ok(relativeError(original.values, golden) <= 1e-5);
        assert.ok(relativeError(masked.values, original.values) >= 1e-3, 'the masks change something');
        assert.ok(relativeError(masked.values, (await readTensor(file('expected.safetensors'), 'logits')).values) <= 1e-5);
      });
    }

    it('refuses a model that was made with another shift', () => {
      const { status, stderr } = runPython('0.0');
      assert.notEqual(status, 0);
      assert.match(stderr, /shift is 0\.0, but the surgery was done with 0\.05/);
    });
  }
});
