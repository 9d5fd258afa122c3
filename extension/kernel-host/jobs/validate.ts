import { loadSamples } from '../../core/data/load-samples';
import { UserError } from '../../core/errors';
import { checkLength } from '../../core/families/check-length';
import { defaultRunLength } from '../../core/families/site-shape';
import { checkOutputs, filesOf } from '../../core/io/check-outputs';
import type { ValidateRequest } from '../../core/protocol/kernel-host';
import type { ReportProgress } from '../../core/protocol/rpc';
import type { ValidationReport } from '../../core/validation/report';
import { filtersOfPieces, shortenSamples } from '../../core/validation/long-windows';
import { validate } from '../../core/validation/validate';
import { validateSites } from '../../core/validation/validate-sites';
import { chooseDevice } from '../devices';
import { host } from '../host';
import { changedFilters, openSurgery, standingFilters } from '../surgery';

export async function validatePlan(request: ValidateRequest, progress: ReportProgress): Promise<ValidationReport> {
  const { engine, sessions, models } = host();
  const { info: device, gpu } = chooseDevice(engine, request.backend, request.threads, request.dtype);
  progress({ message: 'opening the model', fraction: 0 });
  const surgery = await openSurgery(models, request.plan, request.planText);
  const { model, plan, planPath } = surgery;
  await checkOutputs(request.writes ?? [], [...filesOf(model.file), request.plan, request.data]);
  if (model.sitesOnly !== undefined) {
    if (request.data !== undefined) throw new UserError(`${model.path} cannot be run on data as a whole: it ${model.sitesOnly}.`, 'Leave the data out to measure its sites one by one.');
    if (request.backend === 'cuda') throw new UserError(`${model.path} ${model.sitesOnly}, and sites are measured one by one on the CPU only.`, 'Use --backend cpu.');
    const { info } = chooseDevice(engine, 'cpu', request.threads, request.dtype);
    return validateSites({ model, plan, planPath, length: request.length ?? defaultRunLength(model), engine, device: info }, progress);
  }
  if (model.weightsOnDisk !== undefined && request.data === undefined) {
    // Runs of the whole model take minutes each: only where there is something to learn from them.
    return validateSites({ model, plan, planPath, length: request.length ?? defaultRunLength(model), engine, device: chooseDevice(engine, 'cpu', request.threads, request.dtype).info }, progress);
  }
  const data = request.data === undefined ? undefined : await loadSamples(request.data, model, request.length);
  const length = data?.length ?? request.length ?? defaultRunLength(model);
  checkLength(model, length);
  const filters = {
    dense: await standingFilters(model, engine, model.weightsOnDisk === undefined ? undefined : length),
    masked: await changedFilters(surgery, engine, false, progress),
    recausalised: await changedFilters(surgery, engine, true),
  };
  if (length <= model.maxLength || model.floatInput) {
    return validate({ model, plan, planPath, filters, length, engine, sessions, device, gpu, data }, progress);
  }
  const { samples, runLength, longestRun } = shortenSamples(data?.samples ?? [], model, new Map([...filters.dense, ...filters.masked]), length, gpu === undefined);
  const note = `Windows of ${length} tokens went through as runs of up to ${longestRun}: the masked model slides, the dense one sees at most its trained length, and times are those of runs of ${runLength}.`;
  const shortened = data && { ...data, windows: data.samples.length, samples, notes: [...data.notes, note] };
  const pieces = { dense: filtersOfPieces(filters.dense), masked: filtersOfPieces(filters.masked), recausalised: filtersOfPieces(filters.recausalised) };
  return validate({ model, plan, planPath, filters: pieces, length, runLength, longestRun, engine, sessions, device, gpu, data: shortened }, progress);
}
