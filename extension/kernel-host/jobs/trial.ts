import { loadSamples } from '../../core/data/load-samples';
import type { SampleSet } from '../../core/data/samples';
import { UserError } from '../../core/errors';
import { checkLength } from '../../core/families/check-length';
import type { LongConvModel } from '../../core/families/model';
import { fingerprint } from '../../core/formats/fingerprint';
import { checkOutputs, filesOf } from '../../core/io/check-outputs';
import { chooseSites } from '../../core/plan/make';
import type { SiteFilter } from '../../core/plan/site-filter';
import type { TrialRequest } from '../../core/protocol/search';
import type { DeviceInfo } from '../../core/validation/report';
import { chooseDevice } from '../devices';
import { host } from '../host';
import { standingFilters } from '../surgery';

/** What sweeps and searches have in common: the model with its own filters, the data and the device. */
export interface TrialSetup {
  readonly model: LongConvModel;
  readonly fingerprint: string;
  readonly dense: ReadonlyMap<string, SiteFilter>;
  /** All samples of the data, with their length. */
  readonly data: SampleSet;
  /** Ids of the sites that may be masked. */
  readonly sites: readonly string[];
  readonly device: DeviceInfo;
}

export async function openTrial(request: TrialRequest): Promise<TrialSetup> {
  const { engine, models } = host();
  if (request.backend === 'cuda') {
    throw new UserError('Sweeps and searches run on the CPU, where every mask has its kernel.', 'Use --backend cpu or auto, and validate the plan you choose with --backend cuda.');
  }
  const { info: device } = chooseDevice(engine, 'cpu', request.threads);
  const model = await models.model(request.model, request.options);
  if (model.task === 'features') {
    throw new UserError(`${model.name} has no metric of its own, so masks cannot be judged by one.`, 'Validate single plans: their report has the errors of the outputs.');
  }
  await checkOutputs(request.writes ?? [], [...filesOf(model.file), request.data]);
  const data = await loadSamples(request.data, model, request.length);
  checkLength(model, data.length);
  if (data.length > model.maxLength && !model.floatInput) {
    throw new UserError(`Windows of ${data.length} tokens are longer than the ${model.maxLength} that ${model.name} was made for, so its dense form cannot be compared with.`, `Use windows of at most ${model.maxLength} tokens.`);
  }
  return {
    model, data, device, sites: chooseSites(model, request.sites).map(({ id }) => id),
    fingerprint: await fingerprint(model.file.path), dense: await standingFilters(model, engine),
  };
}
