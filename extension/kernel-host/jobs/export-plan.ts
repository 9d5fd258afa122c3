import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { UserError } from '../../core/errors';
import { exportOnnx, verifyOnnx } from '../../core/export/onnx';
import { chooseForm, differingTensors, exportSafetensors, type SafetensorsForm } from '../../core/export/safetensors';
import { openModel } from '../../core/families/registry';
import type { LongConvModel } from '../../core/families/model';
import { OnnxModel } from '../../core/families/onnx/model';
import { ModelRunner } from '../../core/graph/runtime';
import { defaultRunLength } from '../../core/families/site-shape';
import { boundToLength } from '../../core/plan/longest-input';
import type { SiteFilter } from '../../core/plan/site-filter';
import type { ExportRequest, ExportResult } from '../../core/protocol/kernel-host';
import type { ReportProgress } from '../../core/protocol/rpc';
import { randomSample } from '../../core/validation/validate';
import { host } from '../host';
import { exportOnnxModel } from './export-onnx-model';
import { changedFilters, openSurgery, standingFilters, type Surgery } from '../surgery';

/** Largest relative difference between an exported ONNX graph in ONNX Runtime and the native run. */
const ONNX_TOLERANCE = 1e-3;
/** The same for filters in the model's own tensors, which may hold them before an operation (a threshold) that rounds. */
const EXACT_TOLERANCE = 1e-6;
/** Samples of the run that verifies an export, where the model is longer than that. */
const VERIFY_SAMPLES = 4096;
const VERIFY_SEED = 7;

/** Writes the changed model to a new file, then re-reads and re-runs it; a file that differs from what was validated is removed. */
export async function exportPlan(request: ExportRequest, progress: ReportProgress): Promise<ExportResult> {
  const { engine, models } = host();
  const surgery = await openSurgery(models, request.plan, request.planText);
  const { model } = surgery;
  if (path.resolve(request.output) === path.resolve(model.file.path)) {
    throw new UserError(`${request.output} is the model itself, which is never written in place.`, 'Choose another file name.');
  }
  if (request.format === 'onnx' && request.form) {
    throw new UserError('--form belongs to safetensors exports; ONNX holds the filters in its graph.', 'Use --lowering to choose how the graph expresses them.');
  }
  if (model instanceof OnnxModel) return exportOnnxModel(request, { ...surgery, model }, progress);
  const changed = await changedFilters(surgery, engine, request.recausalise, progress);
  const filters = new Map([...(await standingFilters(model, engine)), ...changed]);
  return request.format === 'onnx'
    ? exportToOnnx(request, surgery, filters, progress)
    : exportToSafetensors(request, surgery, changed, filters, progress);
}

function safetensorsForm(request: ExportRequest, { model, plan }: Surgery, changed: ReadonlyMap<string, SiteFilter>): SafetensorsForm {
  if (request.lowering) throw new UserError('--lowering belongs to ONNX exports; safetensors hold weights only.', 'Leave it out, or use --format onnx.');
  return chooseForm(model, plan, changed, request.form);
}

async function exportToSafetensors(
  request: ExportRequest, surgery: Surgery, changed: Map<string, SiteFilter>, filters: Map<string, SiteFilter>, progress: ReportProgress,
): Promise<ExportResult> {
  const { model, plan } = surgery;
  const form = safetensorsForm(request, surgery, changed);
  progress({ message: `writing ${path.basename(request.output)}`, fraction: 0.3 });
  const unverified = `${request.output}.unverified`;
  try {
    await exportSafetensors({ model, plan, filters: changed, form, recausalise: request.recausalise, output: unverified });
    progress({ message: 're-reading and re-running it', fraction: 0.6 });
    const reopened = await openModel(unverified);
    try {
      const differing = await differingTensors(model.file, reopened.file);
      const rewritten = new Set(form === 'exact' ? [...changed.values()].flatMap(({ site }) => site.filterTensors) : []);
      const replaced = differing.filter((name) => !name.startsWith('longconv.surgeon.') && !rewritten.has(name));
      if (replaced.length) throw new UserError(`The export changed tensors that the plan does not touch: ${replaced.join(', ')}.`);
      const expected = await logitsOf(model, filters);
      const actual = await logitsOf(reopened, await standingFilters(reopened, host().engine));
      const verified = relativeDifference(actual, expected);
      if (!(verified <= (form === 'exact' ? EXACT_TOLERANCE : 0))) throw new UserError(`The re-opened export gives other logits than the plan (relative difference ${verified.toExponential(2)}), so it was not kept.`);
      await fs.rename(unverified, request.output);
      return { path: request.output, bytes: (await fs.stat(request.output)).size, notes: formNotes(form, changed, request.recausalise), verified };
    } finally {
      await reopened.close();
    }
  } finally {
    await fs.rm(unverified, { force: true });
  }
}

async function exportToOnnx(request: ExportRequest, { model, plan }: Surgery, filters: Map<string, SiteFilter>, progress: ReportProgress): Promise<ExportResult> {
  const length = request.length ?? defaultRunLength(model);
  progress({ message: `writing ${path.basename(request.output)}`, fraction: 0.3 });
  const unverified = `${request.output}.unverified`;
  try {
    const { notes } = await exportOnnx({
      graph: await model.graph(), filters, length, lowering: request.lowering, output: unverified,
      source: { name: model.name, fingerprint: plan.model.fingerprint }, plan,
    });
    progress({ message: 're-reading and re-running it in ONNX Runtime', fraction: 0.6 });
    const samples = verificationLength(model, filters, length);
    const { input } = randomSample(model, samples, VERIFY_SEED);
    const expected = await logitsOf(model, filters, samples);
    const verified = await verifyOnnx(unverified, host().sessions, input, 1, samples, expected, await model.graph());
    if (!(verified <= ONNX_TOLERANCE)) {
      throw new UserError(`The exported graph gives other logits than the native run (relative difference ${verified.toExponential(2)}), so it was not kept.`);
    }
    await fs.rename(unverified, request.output);
    return { path: request.output, bytes: (await fs.stat(request.output)).size, notes, verified };
  } finally {
    await fs.rm(unverified, { force: true });
  }
}

function formNotes(form: string, changed: ReadonlyMap<string, SiteFilter>, recausalise: boolean): string[] {
  if (!changed.size) return ['The plan has no masks: every tensor is byte-identical to the source.'];
  const notes = form === 'baked'
    ? ['Baked: masked filters are stored as explicit tensors longconv.surgeon.<site>.k in place of the weights that generated them. The original model code does not know them.']
    : form === 'sidecar'
      ? ['Sidecar: the original weights are unchanged and the plan travels in the metadata. Only tools that know it apply the masks.']
      : ['Exact: the masked filters are stored in the model\'s own tensors, which its original code reads.'];
  const leak = Math.max(...[...changed.values()].map(({ measures }) => measures.leak));
  if (leak > 1e-3) {
    notes.push(recausalise
      ? 'Re-causalised: negative lags are zeroed, so the filters are causal but dense in frequency and run with the dense kernels.'
      : `The masked filters keep up to ${(100 * leak).toPrecision(2)}% of their energy at negative lags: this model sees the future. Use --recausalise for an honest causal model.`);
  }
  return notes;
}

/** Samples of the run that verifies an export: few, where the model takes other lengths than its own. */
function verificationLength(model: LongConvModel, filters: ReadonlyMap<string, SiteFilter>, length: number): number {
  if (model.fixedLength || [...filters.values()].some(boundToLength)) return length;
  const multiple = model.lengthMultiple ?? 1;
  const short = Math.min(length, VERIFY_SAMPLES);
  return Math.max(multiple, short - (short % multiple));
}

async function logitsOf(
  model: LongConvModel, filters: Map<string, SiteFilter>, length = verificationLength(model, filters, defaultRunLength(model)),
): Promise<Float32Array> {
  const { engine, sessions } = host();
  const { threads } = engine.devices().cpu;
  const { input } = randomSample(model, length, VERIFY_SEED);
  const runner = await ModelRunner.create({ graph: await model.graph(), sessions, engine, filters, maxLength: length, threads });
  try {
    return await runner.run(input, 1, length);
  } finally {
    await runner.dispose();
  }
}

/** ||a - b|| / ||b||; 0 only where the bits are equal, NaN where either has one. */
function relativeDifference(a: Float32Array, b: Float32Array): number {
  let difference = 0;
  let norm = 0;
  for (let i = 0; i < b.length; i++) {
    difference += (a[i] - b[i]) ** 2;
    norm += b[i] ** 2;
  }
  return difference === 0 ? 0 : Math.sqrt(difference / norm);
}
