import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { UserError } from '../../core/errors';
import { exportInPlace, type InPlaceResult } from '../../core/export/onnx/in-place';
import { differingTensors } from '../../core/export/differing-tensors';
import { OnnxModel } from '../../core/families/onnx/model';
import { openModel } from '../../core/families/registry';
import { fingerprint } from '../../core/formats/fingerprint';
import type { DenseTensor } from '../../core/graph/dense-sessions';
import { encodeModel } from '../../core/graph/encode-model';
import { randomFeeds } from '../../core/graph/feeds';
import { ModelRunner } from '../../core/graph/runtime';
import type { SurgeryPlan } from '../../core/plan/plan';
import type { SiteFilter } from '../../core/plan/site-filter';
import type { ExportRequest, ExportResult } from '../../core/protocol/kernel-host';
import type { ReportProgress } from '../../core/protocol/rpc';
import { host } from '../host';
import { changedFilters, standingFilters } from '../surgery';

/** Largest relative difference between the exported model in ONNX Runtime and the native run of the plan. */
const TOLERANCE = 1e-3;
/** ONNX Runtime's error of transforms that are not a power of two, for each point; measured (reference: formats). */
const ERROR_PER_POINT = 8e-8;
const VERIFY_SEED = 7;

/**
 * Writes an ONNX model with changed filters: its own bytes with the changes spliced in. Then re-reads it, compares every tensor that was
 * not to change, and runs it in ONNX Runtime against the native run of the plan; a file that differs is removed.
 */
export async function exportOnnxModel(
  request: ExportRequest, { plan, planPath, model }: { plan: SurgeryPlan; planPath: string; model: OnnxModel }, progress: ReportProgress,
): Promise<ExportResult> {
  if (request.format !== 'onnx') {
    throw new UserError(`${model.name} is an ONNX graph, which a safetensors file cannot hold.`, 'Use --format onnx.');
  }
  if (request.length !== undefined) throw new UserError('The length of an ONNX model is its graph\'s own.', 'Leave --length out.');
  const changed = await changedFilters({ plan, planPath, model }, host().engine, request.recausalise, progress);
  const unverified = `${request.output}.unverified`;
  let result: InPlaceResult | undefined;
  let kept = false;
  try {
    progress({ message: `writing ${path.basename(request.output)}`, fraction: 0.2 });
    result = await exportInPlace({
      model, plan, filters: changed, lowering: request.lowering, recausalise: request.recausalise, output: unverified, dataFile: `${path.basename(request.output)}.data`,
      onProgress: (fraction) => progress({ message: `writing ${path.basename(request.output)}`, fraction: 0.2 + 0.4 * fraction }),
    });
    progress({ message: 're-reading it', fraction: 0.6 });
    const verified = changed.size === 0 ? await verifyCopy(unverified, plan) : await verifyChanged(unverified, model, changed, result, progress);
    await fs.rename(unverified, request.output);
    kept = true;
    return { path: request.output, bytes: (await fs.stat(request.output)).size, notes: [...result.notes, ...leakNotes(changed, request.recausalise)], verified };
  } finally {
    if (!kept) for (const file of [unverified, ...(result?.dataFiles ?? [])]) await fs.rm(file, { force: true });
  }
}

async function verifyCopy(file: string, plan: SurgeryPlan): Promise<number> {
  const actual = await fingerprint(file);
  if (actual !== plan.model.fingerprint) throw new UserError('The written file differs from its source although the plan changes nothing, so it was not kept.', 'Check the disk.');
  return 0;
}

async function verifyChanged(
  file: string, model: OnnxModel, changed: ReadonlyMap<string, SiteFilter>, { touched }: InPlaceResult, progress: ReportProgress,
): Promise<number> {
  const { engine, sessions } = host();
  const reopened = await openModel(file, Object.fromEntries(model.options.map(({ name, value }) => [name, value])), sessions);
  /** Where ONNX Runtime cannot run the file itself on every machine. */
  let plain: Uint8Array | undefined;
  try {
    const replaced = (await differingTensors(model.file, reopened.file)).filter((name) => !touched.has(name));
    if (replaced.length > 0) throw new UserError(`The export changed tensors that the plan does not touch: ${replaced.join(', ')}.`);
    if (reopened instanceof OnnxModel && reopened.needsOtherOperators) plain = encodeModel(reopened.plainGraph().model);
  } finally {
    await reopened.close();
  }
  progress({ message: 're-running it in ONNX Runtime', fraction: 0.8 });
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
  const session = await (plain ? sessions.create(plain) : sessions.createFromFile(file));
  try {
    const actual = (await session.run(feeds, [graph.output])).get(graph.output)!;
    const difference = relativeDifference(actual, expected);
    const points = Math.max(0, ...model.onnxSites.map(({ fftSize }) => (fftSize !== undefined && (fftSize & (fftSize - 1)) !== 0 ? fftSize : 0)));
    if (!(difference <= Math.max(TOLERANCE, 4 * ERROR_PER_POINT * points))) {
      throw new UserError(`The exported model gives other results than the native run (relative difference ${difference.toExponential(2)}), so it was not kept.`);
    }
    return difference;
  } finally {
    await session.dispose();
  }
}

function leakNotes(changed: ReadonlyMap<string, SiteFilter>, recausalise: boolean): string[] {
  const leak = Math.max(0, ...[...changed.values()].filter(({ site }) => site.direction === 'causal').map(({ measures }) => measures.leak));
  if (leak <= 1e-3) return [];
  return [recausalise
    ? 'Re-causalised: negative lags are zeroed, so the filters are causal but dense in frequency.'
    : `The masked filters keep up to ${(100 * leak).toPrecision(2)}% of their energy at negative lags: this model sees the future. Use --recausalise for an honest causal model.`];
}

/** ||a - b|| / ||b||; 0 only where all values are equal, NaN where either has one. */
function relativeDifference(a: DenseTensor, b: DenseTensor): number {
  if (a.data.length !== b.data.length) return NaN;
  let difference = 0;
  let norm = 0;
  for (let i = 0; i < b.data.length; i++) {
    difference += (Number(a.data[i]) - Number(b.data[i])) ** 2;
    norm += Number(b.data[i]) ** 2;
  }
  return difference === 0 ? 0 : Math.sqrt(difference / norm);
}
