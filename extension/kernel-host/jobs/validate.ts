import { loadData } from '../../core/data/load';
import { windows } from '../../core/data/windows';
import { defaultLength } from '../../core/masks/grid';
import type { ValidateRequest } from '../../core/protocol/kernel-host';
import type { ReportProgress } from '../../core/protocol/rpc';
import type { ValidationReport } from '../../core/validation/report';
import { validate } from '../../core/validation/validate';
import { chooseDevice } from '../devices';
import { host } from '../host';
import { changedFilters, openSurgery, standingFilters } from '../surgery';

export async function validatePlan(request: ValidateRequest, progress: ReportProgress): Promise<ValidationReport> {
  const { engine, sessions, models } = host();
  const { info: device, gpu } = chooseDevice(engine, request.backend, request.threads, request.dtype);
  progress({ message: 'opening the model', fraction: 0 });
  const surgery = await openSurgery(models, request.plan, request.planText);
  const { model, plan, planPath } = surgery;
  const length = request.length ?? defaultLength(model.maxLength);
  const source = request.data === undefined ? undefined : await loadData(request.data, model.tokenizer, model.vocabularySize);
  const filters = {
    dense: await standingFilters(model, engine),
    masked: await changedFilters(surgery, engine, false, progress),
    recausalised: await changedFilters(surgery, engine, true),
  };
  return validate(
    {
      model, plan, planPath, filters, length, engine, sessions, device, gpu,
      data: source && { source, windows: windows(source, length), path: request.data! },
    },
    progress,
  );
}
