import { UserError } from '../errors';
import type { TensorFile } from '../formats/tensor-file';
import type { ChannelMask, MonarchGrid, SurgeryPlan } from '../plan/plan';
import { problemText } from '../plan/problem';
import { parsePlan } from '../plan/read';
import type { Direction, EmbeddedFilter, Site, TapRange } from './model';
import { filterColumns } from './site-shape';

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
  const parsed = parsePlan(text);
  if ('problems' in parsed) {
    const [first] = parsed.problems;
    throw damaged(file, `its plan is not valid, ${problemText(first)}`);
  }
  return { plan: parsed.plan, form, recausalised: recausalised === 'true' };
}

/**
 * How a baked site's tensor [channels, columns] is to be read: its masks are those of the plan in the file. Rows of channels with a
 * frequency mask whose negative lags were kept hold fftSize circular lags, all others causal lags 0, 1, ... (bidirectional ones: a ring of
 * twice the lags kept); both end in zeros up to the common row length. `modelTaps` is the site's number of taps before the surgery, where
 * the file tells.
 */
export function embeddedFilter(
  file: TensorFile, surgery: EmbeddedSurgery | undefined, site: string, tensor: string, channels: number, modelTaps: number | undefined,
  direction: Direction = 'causal',
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
  const honest = direction === 'circular' || (direction === 'causal' && surgery.recausalised);
  const grids = honest ? [] : planned.masks.flatMap((mask) => circularGrid(mask) ?? []);
  const embedded = { tensor, circular: grids.length > 0, channelMasks: planned.masks };
  const lags = direction === 'bidirectional' ? columns / 2 : columns;
  if (!embedded.circular) {
    return { embedded, taps: lags };
  }
  const longest = Math.max(...grids.map(({ fftSize }) => fftSize));
  if (columns < longest) {
    throw damaged(file, `the filter of ${site} has ${columns} lags, but the plan's grid has ${longest}`);
  }
  return { embedded, taps: modelTaps ?? (columns > longest ? lags : Math.max(...grids.map(({ taps }) => taps))) };
}

/** The grid whose circular lags a masked row holds; undefined for rows of causal lags. A partial mask drops the negative lags. */
function circularGrid(mask: ChannelMask): MonarchGrid | undefined {
  return mask.partial === undefined ? mask.frequency?.grid : undefined;
}

/** Longest input that a circular site can take: half of its smallest grid. Infinity for causal sites. */
export function longestInput({ circular, channelMasks }: EmbeddedFilter): number {
  return circular ? Math.min(...channelMasks.map((mask) => (circularGrid(mask)?.fftSize ?? Infinity) / 2)) : Infinity;
}

/**
 * Reads channels [channels) and columns [taps) of a baked filter, row-major: of causal sites the lags from 0 on, of bidirectional ones the
 * ring of the site's own columns.
 */
export async function readEmbeddedFilter(
  file: TensorFile, embedded: EmbeddedFilter, { channels, taps }: TapRange, site?: Pick<Site, 'direction' | 'taps'>,
): Promise<Float32Array> {
  if (site?.direction === 'bidirectional') {
    return readTwoSided(file, embedded, { channels, taps }, filterColumns(site));
  }
  const columns = file.tensors.get(embedded.tensor)?.shape[1] ?? 0;
  const width = taps[1] - taps[0];
  const result = new Float32Array((channels[1] - channels[0]) * width);
  for (let channel = channels[0]; channel < channels[1]; channel++) {
    const end = Math.min(taps[1], causalLags(embedded, channel, columns));
    if (end > taps[0]) {
      result.set(await file.readFloat32(embedded.tensor, channel * columns + taps[0], channel * columns + end), (channel - channels[0]) * width);
    }
  }
  return result;
}

/** A bidirectional row is a ring of fftSize lags on a grid, of 2K after a partial mask, else of all columns; what is not in it is 0. */
async function readTwoSided(file: TensorFile, embedded: EmbeddedFilter, { channels, taps }: TapRange, columns: number): Promise<Float32Array> {
  const stored = file.tensors.get(embedded.tensor)?.shape[1] ?? 0;
  const width = taps[1] - taps[0];
  const result = new Float32Array((channels[1] - channels[0]) * width);
  const ring = new Float32Array(columns);
  for (let channel = channels[0]; channel < channels[1]; channel++) {
    const mask = embedded.channelMasks.find(({ channels: range }) => !range || (channel >= range[0] && channel < range[1]));
    const size = mask?.partial === undefined ? (mask?.frequency?.grid.fftSize ?? columns) : 2 * mask.partial.taps;
    const row = await file.readFloat32(embedded.tensor, channel * stored, channel * stored + size);
    const half = Math.min(size, columns) / 2;
    ring.fill(0);
    ring.set(row.subarray(0, half));
    ring.set(row.subarray(size - half), columns - half);
    result.set(ring.subarray(taps[0], taps[1]), (channel - channels[0]) * width);
  }
  return result;
}

/** How many columns of a channel's row are causal lags; what follows are negative ones, or nothing. */
function causalLags({ circular, channelMasks }: EmbeddedFilter, channel: number, columns: number): number {
  const mask = circular ? channelMasks.find(({ channels }) => !channels || (channel >= channels[0] && channel < channels[1])) : undefined;
  return (mask && circularGrid(mask)?.taps) ?? columns;
}

function damaged(file: TensorFile, what: string): UserError {
  return new UserError(`The surgery in ${file.path} is damaged: ${what}.`, 'Export the plan again from the original model.');
}
