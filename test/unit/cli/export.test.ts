import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import * as ort from 'onnxruntime-node';
import { KernelHostClient } from '../../../extension/core/engine/kernel-host-client';
import { openSafetensors } from '../../../extension/core/formats/safetensors/read';
import type { ExportRequest } from '../../../extension/core/protocol/kernel-host';
import { cli, MODEL, ROOT, run, SAMPLE, temporaryFolder } from './cli';
import { readTensor, relativeError, writeIds } from './tensors';

const PLANS: Record<string, string[]> = {
  'lowpass': ['--lowpass', '0.25'],
  'comb rows, gain': ['--comb', '4', '--symmetry', 'gain'],
  'block and partial': ['--blocks', '8,8,4', '--partial', '300', '--taper', '40'],
  'partial': ['--partial', '64'],
  'one site only': ['--lowpass', '0.5', '--sites', '*.1.*'],
};

describe('exports, found again', function () {
  this.timeout(120_000);
  const folder = temporaryFolder();
  const file = (name: string): string => path.join(folder, name);
  const ids = file('ids.safetensors');
  let tokens: Float32Array;
  before(async () => {
    tokens = (await readTensor(path.join(SAMPLE, 'reference.safetensors'), 'tokens')).values.subarray(0, 1024);
    await writeIds(ids, tokens);
  });
  after(() => fs.rmSync(folder, { recursive: true }));

  async function logits(source: string, ...options: string[]): Promise<Float32Array> {
    const output = file('logits.safetensors');
    await run('forward', source, '--input', ids, '-o', output, ...options);
    return (await readTensor(output, 'logits')).values;
  }

  async function onnxLogits(model: string): Promise<Float32Array> {
    const session = await ort.InferenceSession.create(model);
    const result = await session.run({ [session.inputNames[0]]: new ort.Tensor('int64', BigInt64Array.from(tokens, (t) => BigInt(t)), [1, tokens.length]) });
    await session.release();
    return result[session.outputNames[0]].data as Float32Array;
  }

  // What the command line sends to its kernel host, sent to one: a process for each step would take most of the time.
  describe('of every kind of mask', () => {
    const host = new KernelHostClient({ entry: path.join(ROOT, 'dist/kernel-host.js') });
    after(() => host.dispose());

    async function hostLogits(source: string, recausalise: boolean): Promise<Float32Array> {
      const output = file('host-logits.safetensors');
      await host.call('forward', { source, input: ids, output, recausalise, backend: 'cpu', dtype: 'f16' });
      return (await readTensor(output, 'logits')).values;
    }

    for (const [name, options] of Object.entries(PLANS)) {
      for (const recausalise of [false, true]) {
        describe(`${name}${recausalise ? ', re-causalised' : ''}`, () => {
          const plan = file('p.surgery.json');
          let expected: Float32Array;
          before(async () => {
            await run('plan', MODEL, ...options, '-o', plan);
            expected = await hostLogits(plan, recausalise);
            assert.ok(relativeError(expected, await hostLogits(MODEL, false)) > 1e-4, 'the plan changes the logits');
          });
          const exported = async (request: Pick<ExportRequest, 'format' | 'form' | 'lowering'>, output: string): Promise<string> =>
            (await host.call('exportPlan', { ...request, plan, recausalise, output })).path;

          for (const form of ['baked', 'sidecar'] as const) {
            it(`${form} safetensors give the plan's logits bit for bit`, async () => {
              assert.deepEqual(await hostLogits(await exported({ format: 'safetensors', form }, file(`${form}.safetensors`)), false), expected);
            });
          }
          for (const lowering of ['dft', 'conv'] as const) {
            it(`ONNX with ${lowering} lowering gives them in plain ONNX Runtime`, async () => {
              assert.ok(relativeError(await onnxLogits(await exported({ format: 'onnx', lowering }, file(`${lowering}.onnx`))), expected) <= 1e-3);
            });
          }
        });
      }
    }
  });

  it('the command line exports, and runs what it exported', async () => {
    const plan = file('p.surgery.json');
    await run('plan', MODEL, ...PLANS['block and partial'], '-o', plan);
    for (const recausalise of [[], ['--recausalise']]) {
      const expected = await logits(plan, ...recausalise);
      const [safetensors, onnx] = [file('cli.safetensors'), file('cli.onnx')];
      await run('export', plan, '--format', 'safetensors', '--form', 'baked', ...recausalise, '-o', safetensors);
      assert.deepEqual(await logits(safetensors), expected);
      await run('export', plan, '--format', 'onnx', '--lowering', 'conv', ...recausalise, '-o', onnx);
      assert.ok(relativeError(await onnxLogits(onnx), expected) <= 1e-3);
    }
  });

  it('a plan with no masks exports byte-identical tensors', async () => {
    const [plan, output] = [file('none.surgery.json'), file('none.safetensors')];
    await run('plan', MODEL, '-o', plan);
    await run('export', plan, '--format', 'safetensors', '-o', output);
    const [before, after] = [await openSafetensors(MODEL), await openSafetensors(output)];
    assert.deepEqual([...after.tensors.keys()], [...before.tensors.keys()]);
    for (const name of before.tensors.keys()) assert.ok(Buffer.compare(await before.readBytes(name), await after.readBytes(name)) === 0, name);
    await before.close();
    await after.close();
    const onnx = file('none.onnx');
    await run('export', plan, '--format', 'onnx', '--lowering', 'dft', '-o', onnx);
    assert.ok(relativeError(await onnxLogits(onnx), await logits(MODEL)) <= 1e-3);
  });

  it('refuses what cannot be expressed, and leaves nothing behind', async () => {
    const plan = file('p.surgery.json');
    await run('plan', MODEL, '--lowpass', '0.5', '-o', plan);
    const entries = fs.readdirSync(folder).sort();
    for (const options of [['--form', 'exact'], ['--form', 'refit'], ['--lowering', 'dft']]) {
      const { code, stderr } = await cli('export', plan, '--format', 'safetensors', ...options, '-o', file('refused.safetensors'));
      assert.equal(code, 1);
      assert.match(stderr, /^longconv-surgeon: .+\n$/);
    }
    assert.equal((await cli('export', plan, '--format', 'safetensors', '-o', MODEL)).code, 1);
    assert.equal((await cli('export', plan, '--format', 'safetensors', '-o', file('nowhere/x.safetensors'))).code, 1);
    assert.deepEqual(fs.readdirSync(folder).sort(), entries);
  });

  it('refuses a plan whose model file changed', async () => {
    const [model, plan] = [file('changed.safetensors'), file('changed.surgery.json')];
    fs.copyFileSync(MODEL, model);
    await run('plan', model, '--lowpass', '0.5', '-o', plan);
    const bytes = fs.readFileSync(model);
    bytes[bytes.length - 1] ^= 1;
    fs.writeFileSync(model, bytes);
    const { code, stderr } = await cli('export', plan, '--format', 'safetensors', '-o', file('x.safetensors'));
    assert.equal(code, 1);
    assert.match(stderr, /fingerprint/);
  });
});
