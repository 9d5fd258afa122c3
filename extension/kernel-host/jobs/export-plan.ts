import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { UserError } from '../../core/errors';
import { exportOnnx, verifyOnnx } from '../../core/export/onnx';
import { APPLY_SURGERY, applySurgeryScript, isApplySurgeryScript } from '../../core/export/apply-surgery';
import { chooseForm, exportSafetensors, isCopy, type SafetensorsForm } from '../../core/export/safetensors';
import type { Changes } from '../../core/export/safetensors-changes';
import { verifySafetensors } from '../../core/export/safetensors-verify';
import { relativeDifference } from '../../core/export/relative-difference';
import { stage, unverifiedBeside } from '../../core/export/staging';
import { openModel } from '../../core/families/registry';
import { refuseSitesOnly } from '../../core/families/sites-only';
import { openTensorFile } from '../../core/formats/open';
import { isShardIndex } from '../../core/formats/safetensors/shard-index';
import { moveInto, removeLeftover, writeFileAtomically } from '../../core/io/atomic-file';
import { checkOutputs, filesOf } from '../../core/io/check-outputs';
import type { LongConvModel } from '../../core/families/model';
import { fingerprint, fingerprintOf } from '../../core/formats/fingerprint';
import { ModelRunner } from '../../core/graph/runtime';
import { defaultRunLength } from '../../core/families/site-shape';
import { shortestRun } from '../../core/plan/longest-input';
import type { SiteFilter } from '../../core/plan/site-filter';
import type { ExportRequest, ExportResult } from '../../core/protocol/kernel-host';
import type { ReportProgress } from '../../core/protocol/rpc';
import { randomSample } from '../../core/validation/random-input';
import { host } from '../host';
import { exportOnnxModel, isOnnxFileModel } from './export-onnx-model';
import { filterDifference } from './filter-difference';
import { changedFilters, openUnchecked, refuseOtherSource, standingFilters, type Surgery } from '../surgery';

/** Largest relative difference between an exported ONNX graph in ONNX Runtime and the native run. */
const ONNX_TOLERANCE = 1e-3;
/** The same for filters in the model's own tensors, which may hold them before an operation (a threshold) that rounds. */
const EXACT_TOLERANCE = 1e-6;
/** How much larger than the rounding error of filters the difference of logits may be. */
const ROUNDING_GROWTH = 10;
/** Samples of the run that verifies an export, where the model is longer than that. */
const VERIFY_SAMPLES = 4096;
const VERIFY_SEED = 7;

/** Filters of all sites, those that the plan changes changed; made when they are needed, which copies never do. */
type AllFilters = () => Promise<Map<string, SiteFilter>>;

/** Writes the changed model to a new file, then re-reads and re-runs it; a file that differs from what was validated is removed. */
export async function exportPlan(request: ExportRequest, progress: ReportProgress): Promise<ExportResult> {
  const { engine, models } = host();
  const surgery = await openUnchecked(models, request.plan, request.planText);
  const { model, plan } = surgery;
  await checkOutputs([request.output], [...filesOf(model.file), request.plan]);
  if (isOnnxFileModel(model)) {
    formOf({ ...request, format: 'onnx' }, surgery);
    return exportOnnxModel(request, { ...surgery, model }, progress);
  }
  // A copy hashes what it reads.
  if (!(request.format === 'safetensors' && isCopy({ model, plan, output: request.output }))) refuseOtherSource(surgery, await fingerprint(model.file.path));
  // What cannot be written is refused before the work of masking.
  const form = formOf(request, surgery);
  if (form === undefined) refuseSitesOnly(model);
  const changed = await changedFilters(surgery, engine, request.recausalise, progress);
  const filters = async (): Promise<Map<string, SiteFilter>> => new Map([...(await standingFilters(model, engine)), ...changed]);
  return form === undefined
    ? exportToOnnx(request, surgery, await filters(), progress)
    : exportToSafetensors(request, surgery, form, changed, filters, progress);
}

/** The form of a safetensors export; undefined for ONNX. Refuses options that do not belong to the format. */
function formOf(request: ExportRequest, { model, plan }: Surgery): SafetensorsForm | undefined {
  if (request.format === 'onnx') {
    if (request.form) throw new UserError('--form belongs to safetensors exports; ONNX holds the filters in its graph.', 'Use --lowering to choose how the graph expresses them.');
    return undefined;
  }
  if (request.lowering) throw new UserError('--lowering belongs to ONNX exports; safetensors hold weights only.', 'Leave it out, or use --format onnx.');
  return chooseForm(model, plan, request.form, request.recausalise);
}

async function exportToSafetensors(
  request: ExportRequest, surgery: Surgery, form: SafetensorsForm, changed: Map<string, SiteFilter>, filters: AllFilters, progress: ReportProgress,
): Promise<ExportResult> {
  const { model, plan } = surgery;
  progress({ message: `writing ${path.basename(request.output)}`, fraction: 0.3 });
  const staging = await stage(request.output, model.file);
  try {
    const changes = await exportSafetensors({ model, plan, filters: changed, form, recausalise: request.recausalise, output: staging.output });
    if (changes.copied) refuseOtherSource(surgery, fingerprintOf(changes.copied));
    progress({ message: 're-reading and re-running it', fraction: 0.6 });
    const bytes = await sizeOf(staging.output);
    const verified = await verifyWritten(staging.output, surgery, changed, filters, changes);
    await staging.keep();
    const notes = [...formNotes(form, changed, request.recausalise, changes.copied !== undefined), ...changes.notes, ...await writeScript(request.output, form, surgery)];
    return { path: request.output, bytes, notes, verified, ...(changes.copied === undefined && !runsWhole(model) && { compared: 'filters' }) };
  } finally {
    await staging.discard();
  }
}

/** Beside an export that the original code cannot load by itself, the Python that does. Says so. */
async function writeScript(output: string, form: SafetensorsForm, { model, plan }: Surgery): Promise<string[]> {
  const script = plan.sites.length === 0 || form === 'exact' || isShardIndex(output) ? undefined : applySurgeryScript(model, plan, output);
  if (script === undefined) return [];
  const file = path.join(path.dirname(output), APPLY_SURGERY);
  const existing = await fs.readFile(file, 'utf8').catch(() => undefined);
  if (existing !== undefined && !isApplySurgeryScript(existing)) {
    return [`${file} is a file of yours, so the script of that name, which loads the export into the original PyTorch model, was not written.`];
  }
  await writeFileAtomically(file, script);
  return [`${APPLY_SURGERY} beside it loads it into the original PyTorch model.`];
}

/**
 * Relative difference between the logits of the written file and those that were validated: 0 where the filters are stored as they are. Of
 * a model that is too large for it, the largest difference between the changed filters.
 */
async function verifyWritten(written: string, { model }: Surgery, changed: ReadonlyMap<string, SiteFilter>, filters: AllFilters, changes: Changes): Promise<number> {
  if (changes.copied) return 0;
  const reopened = await openModel(written);
  try {
    await verifySafetensors(model.file, reopened.file, changes);
    const verified = runsWhole(model)
      ? relativeDifference(await logitsOf(reopened, await standingFilters(reopened, host().engine)), await logitsOf(model, await filters()))
      : await filterDifference(reopened, changed);
    const tolerance = changes.replaced.size > 0 ? Math.max(EXACT_TOLERANCE, ROUNDING_GROWTH * changes.roundingError) : 0;
    if (!(verified <= tolerance)) throw new UserError(`The re-opened export gives other ${runsWhole(model) ? 'logits' : 'filters'} than the plan (relative difference ${verified.toExponential(2)}), so it was not kept.`);
    return verified;
  } finally {
    await reopened.close();
  }
}

/** Whether a run of the whole model takes seconds: not where its weights do not fit into memory. */
const runsWhole = ({ sitesOnly, weightsOnDisk }: LongConvModel): boolean => sitesOnly === undefined && weightsOnDisk === undefined;

async function sizeOf(written: string): Promise<number> {
  const file = await openTensorFile(written);
  try {
    return (await Promise.all((file.files ?? [file.path]).map((part) => fs.stat(part)))).reduce((sum, { size }) => sum + size, 0);
  } finally {
    await file.close();
  }
}

async function exportToOnnx(request: ExportRequest, { model, plan }: Surgery, filters: Map<string, SiteFilter>, progress: ReportProgress): Promise<ExportResult> {
  if (model.weightsOnDisk !== undefined) {
    throw new UserError(`${model.name} ${model.weightsOnDisk}, too much for one ONNX file.`, 'Export to safetensors.');
  }
  const length = request.length ?? defaultRunLength(model);
  progress({ message: `writing ${path.basename(request.output)}`, fraction: 0.3 });
  const unverified = await unverifiedBeside(request.output);
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
    await moveInto(unverified, request.output);
    return { path: request.output, bytes: (await fs.stat(request.output)).size, notes, verified };
  } finally {
    await removeLeftover(unverified);
  }
}

function formNotes(form: string, changed: ReadonlyMap<string, SiteFilter>, recausalise: boolean, identical: boolean): string[] {
  if (identical) return ['The plan has no masks: the export is a copy, byte for byte.'];
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
  if (model.fixedLength) return length;
  const multiple = model.lengthMultiple ?? 1;
  const needed = [...filters.values()].map((filter) => shortestRun(filter, length));
  const short = Math.min(length, Math.max(VERIFY_SAMPLES, ...needed));
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
