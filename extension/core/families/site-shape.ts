import { defaultLength, powerOfTwoAtLeast } from '../masks/grid';
import type { GridRequest } from '../masks/grid';
import type { LongConvModel, Site } from './model';

/** Columns of a site's filter rows; see Site.direction. */
export const filterColumns = ({ direction, taps }: Pick<Site, 'direction' | 'taps'>): number => (direction === 'bidirectional' ? 2 * taps : taps);

/** Samples at a site when the model's input has `length`. */
export const siteLength = ({ rate = 1 }: Pick<Site, 'rate'>, length: number): number => Math.ceil(length * rate);

/** Most samples of the model's input that give at most `samples` at a site. */
export const inputLength = ({ rate = 1 }: Pick<Site, 'rate'>, samples: number): number => Math.floor(samples / rate);

type Lengths = Pick<LongConvModel, 'maxLength' | 'fixedLength' | 'lengthMultiple' | 'sites'>;

/** Whether the model is meant for its trained length alone: it takes no other, or has other filters on shorter inputs. */
const isForOneLength = ({ fixedLength, sites }: Lengths): boolean => fixedLength === true || sites.some(({ ringOfRun }) => ringOfRun !== undefined);

/** Samples of a run when the user names no length: the trained length, or the largest power of two below it where any will do. */
export function defaultRunLength(model: Lengths): number {
  const { maxLength, lengthMultiple = 1 } = model;
  if (isForOneLength(model)) {
    return maxLength;
  }
  const length = defaultLength(maxLength);
  return Math.max(lengthMultiple, length - (length % lengthMultiple));
}

/** What the default grid of a new frequency mask on this site follows from. */
export function gridRequest(model: Lengths, site: Pick<Site, 'taps' | 'direction' | 'rate'>): GridRequest {
  const longest = siteLength(site, model.maxLength);
  // Where only one length makes sense, the grid must take it.
  return { siteTaps: site.taps, direction: site.direction, maxLength: isForOneLength(model) ? powerOfTwoAtLeast(longest) : longest };
}
