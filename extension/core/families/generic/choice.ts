import { UserError } from '../../errors';
import type { TensorFile, TensorInfo } from '../../formats/tensor-file';
import type { Direction } from '../model';
import { ConfigFields } from '../shared/config-fields';
import { bakedFilterName } from '../shared/tensor-names';

/** Key of config.json that names the explicit filters of a model of no known family. */
export const SITES_KEY = 'longconv_sites';
/** Tensors with at least so many values on their last axis are worth proposing. */
const SHORTEST_LONG_FILTER = 64;
const MOST_PROPOSED = 3;

/** One filter that the user chose. */
export interface ChosenSite {
  readonly id: string;
  /** [..., taps]; all axes before the last are channels. */
  readonly tensor: string;
  readonly direction: Direction;
  /** Bidirectional: tensor like `tensor` with lag -(j + 1) at index j. Without it `tensor` is a ring of 2 taps. */
  readonly backward?: string;
  /** The last tap belongs to lag 0, as in a cross-correlation. */
  readonly flipped: boolean;
  /** What the user said in so many words; the rest is assumed. */
  readonly said: { readonly direction?: Direction; readonly flipped?: boolean };
}

/** Whether a config.json names filters, so that the model is to be opened by them alone. */
export const choosesSites = (config: unknown): boolean => typeof config === 'object' && config !== null && SITES_KEY in config;

/** The chosen filters. Throws UserError where the choice is malformed. `where` names the config. */
export function readChoice(config: unknown, where: string): ChosenSite[] {
  const list = (config as Record<string, unknown>)[SITES_KEY];
  if (!Array.isArray(list) || list.length === 0) {
    throw new UserError(`${where} sets "${SITES_KEY}" to something that is no list of filters.`, `For example: "${SITES_KEY}": [{ "tensor": "layers.0.kernel", "direction": "causal" }].`);
  }
  const sites = list.map((entry: unknown): ChosenSite => {
    const fields = new ConfigFields(entry, where);
    const tensor = fields.text('tensor');
    const given = fields.text('direction');
    const direction = given ?? 'causal';
    if (tensor === undefined || (direction !== 'causal' && direction !== 'bidirectional' && direction !== 'circular')) {
      throw new UserError(`${where} has a filter in "${SITES_KEY}" without a tensor, or with a direction other than causal, bidirectional or circular.`);
    }
    const backward = fields.text('backward');
    if (backward !== undefined && direction !== 'bidirectional') {
      throw new UserError(`${where} names a backward filter for ${tensor}, whose direction is ${direction}.`, 'Set its direction to bidirectional, or leave "backward" out.');
    }
    const flipped = fields.flag('flipped');
    const said = { ...(given !== undefined && { direction: direction as Direction }), ...(flipped !== undefined && { flipped }) };
    return { id: fields.text('id') ?? tensor, tensor, direction, backward, flipped: flipped ?? false, said };
  });
  const twice = sites.find(({ id }, i) => sites.findIndex((other) => other.id === id) !== i);
  if (twice) {
    throw new UserError(`${where} names the filter ${twice.id} twice in "${SITES_KEY}".`);
  }
  return sites;
}

/** What a chosen site's stored tensor holds: channels and columns. Throws UserError where it does not fit. */
export function chosenShape(file: TensorFile, { id, tensor, backward, direction }: ChosenSite): { channels: number; taps: number } | undefined {
  if (file.tensors.has(bakedFilterName(id))) {
    return undefined;
  }
  const info = stored(file, tensor);
  if (backward !== undefined && stored(file, backward).shape.join() !== info.shape.join()) {
    throw new UserError(`${file.path} has ${backward} of another shape than ${tensor}.`);
  }
  const columns = info.shape[info.shape.length - 1] ?? 0;
  const channels = info.shape.slice(0, -1).reduce((a, b) => a * b, 1);
  const ring = direction === 'bidirectional' && backward === undefined;
  if (columns < 1 || channels < 1 || (ring && columns % 2 !== 0)) {
    throw new UserError(`${file.path} has ${tensor} of shape [${info.shape.join(', ')}] where [channels, ${ring ? 'an even number of lags' : 'taps'}] is needed.`);
  }
  return { channels, taps: ring ? columns / 2 : columns };
}

function stored(file: TensorFile, name: string): TensorInfo {
  const info = file.tensors.get(name);
  if (!info) {
    throw new UserError(`${file.path} has no tensor ${name}, which "${SITES_KEY}" in its config.json names.`);
  }
  return info;
}

/** What a user can do with a model of no known family, as a hint. */
export function choiceHint(tensors: ReadonlyMap<string, TensorInfo>): string {
  const long = [...tensors.values()].filter(({ shape }) => shape.length >= 2 && shape[shape.length - 1] >= SHORTEST_LONG_FILTER);
  const some = long.slice(0, MOST_PROPOSED).map(({ name }) => name.slice(0, 80));
  return `If it has explicit long filters${some.length > 0 ? ` (tensors with long rows are ${some.join(', ')}${long.length > some.length ? `, and ${long.length - some.length} more` : ''})` : ''}, `
    + `name them in a config.json beside it: { "${SITES_KEY}": [{ "tensor": "NAME", "direction": "causal" }] }.`;
}
