import { UserError } from '../errors';
import type { TensorFile } from '../formats/tensor-file';
import type { ChannelMask, SitePlan, SurgeryPlan } from '../plan/plan';
import type { EmbeddedFilter, TapRange } from './model';

export const PLAN_KEY = 'longconv.surgeon.plan';
export const FORM_KEY = 'longconv.surgeon.form';
export const RECAUSALISED_KEY = 'longconv.surgeon.recausalised';
/** Text of the source model's config.json, so that an export means the same wherever it lies. */
export const CONFIG_KEY = 'longconv.surgeon.config';

/** What the metadata of an export says about the surgery in it. */
export interface EmbeddedSurgery {
  readonly plan: SurgeryPlan;
  readonly form: 'exact' | 'baked' | 'sidecar';
  readonly recausalised: boolean;
}

/** Reads the surgery that an export of this tool carries; undefined for any other file. Throws UserError where it is damaged. */
export function readEmbeddedSurgery(file: TensorFile): EmbeddedSurgery | undefined {
  const text = file.metadata.get(PLAN_KEY);
  if (text === undefined) {
    return undefined;
  }
  const form = file.metadata.get(FORM_KEY);
  if (form !== 'exact' && form !== 'baked' && form !== 'sidecar') {
    throw damaged(file, `"${FORM_KEY}" is ${JSON.stringify(form ?? null)}, not "exact", "baked" or "sidecar"`);
  }
  const recausalised = file.metadata.get(RECAUSALISED_KEY);
  if (recausalised !== 'true' && recausalised !== 'false') {
    throw damaged(file, `"${RECAUSALISED_KEY}" is ${JSON.stringify(recausalised ?? null)}, not "true" or "false"`);
  }
  let plan: unknown;
  try {
    plan = JSON.parse(text);
  } catch {
    throw damaged(file, `"${PLAN_KEY}" is not JSON`);
  }
  const wrong = planMistake(plan);
  if (wrong !== null) {
    throw damaged(file, `"${PLAN_KEY}" ${wrong}`);
  }
  return { plan: plan as SurgeryPlan, form, recausalised: recausalised === 'true' };
}

/**
 * How a baked site's tensor [channels, columns] is to be read. The columns are circular lags where the plan has a frequency mask and
 * its negative lags were kept; then the plan's grid gives their number. Otherwise they are the causal lags 0..columns-1.
 */
export function embeddedFilter(
  file: TensorFile, surgery: EmbeddedSurgery | undefined, site: string, tensor: string, channels: number,
): { readonly embedded: EmbeddedFilter; readonly taps: number } {
  const planned = surgery?.plan.sites.find((candidate) => candidate.site === site);
  if (!surgery || !planned) {
    throw damaged(file, `it holds a changed filter for ${site}, but no plan that says how it was changed`);
  }
  const shape = file.tensors.get(tensor)?.shape ?? [];
  const [rows, columns] = shape;
  if (shape.length !== 2 || rows !== channels || columns < 1) {
    throw damaged(file, `the filter of ${site} has shape [${shape.join(', ')}] where [${channels}, taps] is needed`);
  }
  const grids = planned.masks.flatMap(({ frequency }) => (frequency ? [frequency.grid] : []));
  const [grid] = grids;
  if (!grid || surgery.recausalised) {
    return { embedded: { tensor, circular: false, channelMasks: planned.masks }, taps: columns };
  }
  if (grids.some(({ fftSize, taps }) => fftSize !== grid.fftSize || taps !== grid.taps)) {
    throw damaged(file, `the plan's masks for ${site} are on different grids`);
  }
  if (columns !== grid.fftSize) {
    throw damaged(file, `the filter of ${site} has ${columns} lags, but the plan's grid has ${grid.fftSize}`);
  }
  return { embedded: { tensor, circular: true, channelMasks: planned.masks }, taps: grid.taps };
}

/** Reads lags [taps) of channels [channels) of a baked filter, [channels, taps] row-major; `columns` is the stored row length. */
export async function readEmbeddedFilter(file: TensorFile, { tensor }: EmbeddedFilter, columns: number, { channels, taps }: TapRange): Promise<Float32Array> {
  const width = taps[1] - taps[0];
  if (width === columns) {
    return file.readFloat32(tensor, channels[0] * columns, channels[1] * columns);
  }
  const result = new Float32Array((channels[1] - channels[0]) * width);
  for (let channel = channels[0]; channel < channels[1]; channel++) {
    const row = await file.readFloat32(tensor, channel * columns + taps[0], channel * columns + taps[1]);
    result.set(row, (channel - channels[0]) * width);
  }
  return result;
}

function damaged(file: TensorFile, what: string): UserError {
  return new UserError(`The surgery in ${file.path} is damaged: ${what}.`, 'Export the plan again from the original model.');
}

/** Checks what opening a model relies on; null when all of it holds. */
function planMistake(plan: unknown): string | null {
  if (!isObject(plan) || plan.version !== 1) {
    return 'is not a plan of version 1';
  }
  if (!isObject(plan.model) || !Array.isArray(plan.sites)) {
    return 'lacks its model or its sites';
  }
  for (const site of plan.sites as unknown[]) {
    if (!isObject(site) || typeof site.site !== 'string' || !Array.isArray(site.masks) || !(site.masks as unknown[]).every(isMask)) {
      return 'has a site without valid masks';
    }
  }
  const names = (plan.sites as SitePlan[]).map(({ site }) => site);
  return new Set(names).size === names.length ? null : 'names a site twice';
}

function isMask(mask: unknown): mask is ChannelMask {
  if (!isObject(mask) || (mask.partial !== undefined && !(isObject(mask.partial) && isCount(mask.partial.taps)))) {
    return false;
  }
  if (mask.frequency === undefined) {
    return true;
  }
  if (!isObject(mask.frequency) || !isObject(mask.frequency.grid) || !isObject(mask.frequency.keep)) {
    return false;
  }
  const { fftSize, factors, taps } = mask.frequency.grid;
  return isCount(fftSize) && isCount(taps) && taps <= fftSize && Array.isArray(factors) && factors.every(isCount)
    && factors.reduce((product: number, factor: number) => product * factor, 1) === fftSize;
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);
const isCount = (value: unknown): value is number => typeof value === 'number' && Number.isSafeInteger(value) && value > 0;
