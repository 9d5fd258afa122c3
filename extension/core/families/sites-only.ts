import { UserError } from '../errors';
import type { LongConvModel } from './model';

/** Throws UserError where a model cannot be run as a whole, before any filter of it is made. */
export function refuseSitesOnly({ path, sitesOnly }: Pick<LongConvModel, 'path' | 'sitesOnly'>): void {
  if (sitesOnly !== undefined) {
    throw new UserError(`${path} cannot be run as a whole: it ${sitesOnly}.`, 'Its sites can be viewed, masked, measured one by one and exported to safetensors.');
  }
}
