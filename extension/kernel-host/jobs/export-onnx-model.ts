import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { UserError } from '../../core/errors';
import { dataFileOf } from '../../core/export/onnx/data-file';
import { unverifiedBeside } from '../../core/export/staging';
import { exportInPlace, type InPlaceResult } from '../../core/export/onnx/in-place';
import { firstDifference } from '../../core/export/compare-tensors';
import { hasParts, verifyParts } from '../../core/export/onnx/verify-parts';
import { relativeDifference } from '../../core/export/relative-difference';
import { openOnnxModel } from '../../core/families/onnx/index';
import { OnnxModel } from '../../core/families/onnx/model';
import type { OnnxSite } from '../../core/families/onnx/site';
import { openModel } from '../../core/families/registry';
import type { LongConvModel } from '../../core/families/model';
import { OnnxFile, openOnnx } from '../../core/formats/onnx/read';
import { fingerprintOf } from '../../core/formats/fingerprint';
import type { DenseSession, DenseTensor } from '../../core/graph/dense-sessions';
import { encodeModel } from '../../core/graph/encode-model';
import { randomFeeds } from '../../core/graph/feeds';
import { ModelRunner } from '../../core/graph/runtime';
import type { SiteFilter } from '../../core/plan/site-filter';
import type { ExportRequest, ExportResult } from '../../core/protocol/kernel-host';
import type { ReportProgress } from '../../core/protocol/rpc';
import { moveInto, removeLeftover } from '../../core/io/atomic-file';
import { filesOf, place } from '../../core/io/check-outputs';
import { ended } from '../../core/io/unfinished';
import { host } from '../host';
import { changedFilters, refuseOtherSource, standingFilters, type Surgery } from '../surgery';
import { filterDifference } from './filter-difference';

/** Largest relative difference between the exported model in ONNX Runtime and the native run of the plan. */
const TOLERANCE = 1e-3;
/** ONNX Runtime's error of transforms that are not a power of two, for each point; measured (reference: formats). */
const ERROR_PER_POINT = 8e-8;
/** Largest relative difference of filters in tensors of a narrow type, bfloat16. */
const ROUNDED = 2 ** -7;
const VERIFY_SEED = 7;
/** Bytes of tensors up to which an export is run as a whole: a run holds them about four times. */
const RUN_AS_A_WHOLE = 1 << 28;

/** A model of an ONNX file: its graph, or the filters in it that the user chose. */
export type OnnxFileModel = LongConvModel & { readonly file: OnnxFile };
export const isOnnxFileModel = (model: LongConvModel): model is OnnxFileModel => model.file instanceof OnnxFile;

/**
 * Writes an ONNX model with changed filters: its own bytes with the changes spliced in. Then re-reads it, compares every tensor that was
 * not to change, and runs it (of large models the changed convolutions) in ONNX Runtime against the native run of the plan; a file that differs
 * is removed.
 */
export async function exportOnnxModel(
  request: ExportRequest, surgery: Surgery & { readonly model: OnnxFileModel }, progress: ReportProgress,
): Promise<ExportResult> {
  const { plan, model } = surgery;
  if (request.format !== 'onnx') {
    throw new UserError(`${model.name} is an ONNX graph, which a safetensors file cannot hold.`, 'Use --format onnx.');
  }
  if (request.length !== undefined) throw new UserError('The length of an ONNX model is its graph\'s own.', 'Leave --length out.');
  const data = await dataFileOf(request.output);
  const changed = await changedFilters(surgery, host().engine, request.recausalise, progress);
  const unverified = await unverifiedBeside(request.output);
  let result: InPlaceResult | undefined;
  let kept = false;
  try {
    progress({ message: `writing ${path.basename(request.output)}`, fraction: 0.2 });
    result = await exportInPlace({
      model, plan, filters: changed, lowering: request.lowering, recausalise: request.recausalise, output: unverified, dataFile: path.basename(data.file),
      onProgress: (fraction) => progress({ message: `writing ${path.basename(request.output)}`, fraction: 0.2 + 0.4 * fraction }),
    });
    refuseOtherSource(surgery, fingerprintOf(new Map([[model.name, result.sourceHash]])));
    progress({ message: 're-reading it', fraction: 0.6 });
    const verified: Verified = result.copied ? { verified: 0 } : await verifyChanged(unverified, model, changed, result, progress);
    await moveInto(unverified, request.output);
    result.dataFiles.forEach(ended);
    kept = true;
    if (result.dataFiles.includes(data.file)) await removeEarlier(data.earlier, model);
    return { path: request.output, bytes: (await fs.stat(request.output)).size, notes: [...result.notes, ...leakNotes(changed, request.recausalise)], ...verified };
  } finally {
    if (!kept) for (const file of [unverified, ...(result?.dataFiles ?? [])]) await removeLeftover(file);
  }
}

/** Data files of the export that was at this place before; one that the source reads stays. */
async function removeEarlier(files: readonly string[], model: OnnxFileModel): Promise<void> {
  const read = new Set(await Promise.all(filesOf(model.file).map(place)));
  for (const file of files) if (!read.has(await place(file))) await removeLeftover(file);
}

/** What was compared with the plan, and the largest relative difference. */
interface Verified { readonly verified: number; readonly compared?: ExportResult['compared'] }

async function verifyChanged(
  file: string, model: OnnxFileModel, changed: ReadonlyMap<string, SiteFilter>, { touched }: InPlaceResult, progress: ReportProgress,
): Promise<Verified> {
  const written = await openOnnx(file);
  try {
    const common = [...model.file.tensors.keys()].filter((name) => written.tensors.has(name) && !touched.has(name));
    const changedToo = await firstDifference(model.file, written, common);
    if (changedToo !== undefined) throw new UserError(`The export changed the tensor ${changedToo}, which the plan does not touch, so it was not kept.`, 'Check the disk.');
  } finally {
    await written.close();
  }
  if (!(model instanceof OnnxModel)) return { verified: await chosenDifference(file, changed), compared: 'filters' };
  const size = [...model.file.tensors.values()].reduce((sum, { byteLength }) => sum + byteLength, 0);
  if (size > RUN_AS_A_WHOLE && hasParts(model, changed)) {
    progress({ message: 're-running its changed convolutions in ONNX Runtime', fraction: 0.8 });
    return { verified: await partsDifference(file, model, changed, touched), compared: 'convolutions' };
  }
  progress({ message: 're-running it in ONNX Runtime', fraction: 0.8 });
  const session = await (model.needsOtherOperators ? sessionOfPlain(file, model) : host().sessions.createFromFile(file));
  try {
    return { verified: await outputDifference(session, model, changed) };
  } finally {
    await session.dispose();
  }
}

/** Of filters that are known by the user's choice alone. */
async function chosenDifference(file: string, changed: ReadonlyMap<string, SiteFilter>): Promise<number> {
  const reopened = await openModel(file, {}, host().sessions);
  try {
    const difference = await filterDifference(reopened, changed);
    if (!(difference <= ROUNDED)) throw new UserError(`The re-opened export has other filters than the plan (relative difference ${difference.toExponential(2)}), so it was not kept.`);
    return difference;
  } finally {
    await reopened.close();
  }
}

/** The written file, taken for the same model as its source. */
async function reopen(file: string, { options }: OnnxModel): Promise<OnnxModel> {
  return openOnnxModel(await openOnnx(file), host().sessions, Object.fromEntries(options.map(({ name, value }) => [name, value])));
}

/** Of a file with operators that ONNX Runtime cannot run on every machine. */
async function sessionOfPlain(file: string, model: OnnxModel): Promise<DenseSession> {
  const reopened = await reopen(file, model);
  try {
    return await host().sessions.create(encodeModel(reopened.plainGraph().model));
  } finally {
    await reopened.close();
  }
}

/** Largest difference of the changed convolutions, of a model that is too large to be run as a whole. */
async function partsDifference(file: string, source: OnnxModel, changed: ReadonlyMap<string, SiteFilter>, touched: ReadonlySet<string>): Promise<number> {
  const { engine, sessions } = host();
  const written = await reopen(file, source);
  try {
    const differences = await verifyParts({ source, written, changed, touched, engine, sessions, seed: VERIFY_SEED });
    for (const [site, difference] of differences) refuseDifference(difference, [site]);
    return Math.max(0, ...differences.values());
  } finally {
    await written.close();
  }
}

/** Between the exported model in ONNX Runtime and the native run of the plan. */
async function outputDifference(session: DenseSession, model: OnnxModel, changed: ReadonlyMap<string, SiteFilter>): Promise<number> {
  const { engine, sessions } = host();
  const graph = await model.graph();
  const filters = new Map([...(await standingFilters(model, engine)), ...changed]);
  const feeds = randomFeeds(graph, model.maxLength, model.vocabularySize, VERIFY_SEED);
  const runner = await ModelRunner.create({ graph, sessions, engine, filters, maxLength: model.maxLength });
  let expected: DenseTensor;
  try {
    expected = (await runner.runFeeds(feeds, [graph.output])).get(graph.output)!;
  } finally {
    await runner.dispose();
  }
  const actual = (await session.run(feeds, [graph.output])).get(graph.output)!;
  const difference = relativeDifference(actual.data, expected.data);
  refuseDifference(difference, model.onnxSites);
  return difference;
}

/** Refuses what is more than the errors of ONNX Runtime's own transforms. */
function refuseDifference(difference: number, sites: readonly OnnxSite[]): void {
  const points = Math.max(0, ...sites.map(({ fftSize }) => (fftSize !== undefined && (fftSize & (fftSize - 1)) !== 0 ? fftSize : 0)));
  if (!(difference <= Math.max(TOLERANCE, 4 * ERROR_PER_POINT * points))) {
    throw new UserError(`The exported model gives other results than the native run (relative difference ${difference.toExponential(2)}), so it was not kept.`);
  }
}

function leakNotes(changed: ReadonlyMap<string, SiteFilter>, recausalise: boolean): string[] {
  const leak = Math.max(0, ...[...changed.values()].filter(({ site }) => site.direction === 'causal').map(({ measures }) => measures.leak));
  if (leak <= 1e-3) return [];
  return [recausalise
    ? 'Re-causalised: negative lags are zeroed, so the filters are causal but dense in frequency.'
    : `The masked filters keep up to ${(100 * leak).toPrecision(2)}% of their energy at negative lags: this model sees the future. Use --recausalise for an honest causal model.`];
}
