import { loadData } from '../../core/data/load';
import { windows } from '../../core/data/windows';
import type { TokenData, TokenWindow } from '../../core/data/data';
import type { LongConvModel } from '../../core/families/model';
import { fingerprint } from '../../core/formats/fingerprint';
import { defaultLength } from '../../core/masks/grid';
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
  readonly source: TokenData;
  /** All windows of the data. */
  readonly windows: readonly TokenWindow[];
  readonly length: number;
  /** Ids of the sites that may be masked. */
  readonly sites: readonly string[];
  readonly device: DeviceInfo;
}

export async function openTrial(request: TrialRequest): Promise<TrialSetup> {
  const { engine, models } = host();
  const device = chooseDevice(engine, request.backend, request.threads);
  const model = await models.model(request.model, request.options);
  const length = request.length ?? defaultLength(model.maxLength);
  const source = await loadData(request.data, model.tokenizer, model.vocabularySize);
  return {
    model, length, source, device, windows: windows(source, length), sites: chooseSites(model, request.sites).map(({ id }) => id),
    fingerprint: await fingerprint(model.file.path), dense: await standingFilters(model, engine),
  };
}
