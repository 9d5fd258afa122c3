import { loadSamples } from '../../core/data/load-samples';
import { checkLength } from '../../core/families/check-length';
import { defaultRunLength } from '../../core/families/site-shape';
import type { ValidateRequest } from '../../core/protocol/kernel-host';
import type { ReportProgress } from '../../core/protocol/rpc';
import type { ValidationReport } from '../../core/validation/report';
import { validate } from '../../core/validation/validate';
import { chooseDevice } from '../devices';
import { host } from '../host';
import { changedFilters, openSurgery, standingFilters } from '../surgery';

export async function validatePlan(request: ValidateRequest, progress: ReportProgress): Promise<ValidationReport> {
  const { engine, sessions, models } = host();
  const device = chooseDevice(engine, request.backend, request.threads);
  progress({ message: 'opening the model', fraction: 0 });
  const surgery = await openSurgery(models, request.plan, request.planText);
  const { model, plan, planPath } = surgery;
  const data = request.data === undefined ? undefined : await loadSamples(request.data, model, request.length);
  const length = data?.length ?? request.length ?? defaultRunLength(model);
  checkLength(model, length);
  const filters = {
    dense: await standingFilters(model, engine),
    masked: await changedFilters(surgery, engine, false, progress),
    recausalised: await changedFilters(surgery, engine, true),
  };
  return validate({ model, plan, planPath, filters, length, engine, sessions, device, data }, progress);
}
