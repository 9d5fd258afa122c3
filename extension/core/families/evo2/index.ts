import * as path from 'node:path';
import { UserError } from '../../errors';
import type { TensorFile } from '../../formats/tensor-file';
import { readEmbeddedSurgery } from '../embedded-surgery';
import type { Family, LongConvModel, OptionOverrides } from '../model';
import { incompleteness } from '../shared/tensor-names';
import { findStripedLayout } from '../stripedhyena/layout';
import { openStriped } from '../stripedhyena/open';
import { readStripedSizes } from '../stripedhyena/sizes';
import { readEvo2Config } from './config';

/**
 * Evo 2 (StripedHyena 2): short explicit filters (hcs), medium ones (hcm), real exponentials (hcl), and attention.
 * Source: Zymrael/vortex and ArcInstitute/evo2.
 */
export const EVO2: Family = {
  name: 'evo2',
  lookedFor: 'Evo 2: blocks.0.filter.h or blocks.0.filter.log_poles',
  recognise(file) {
    const layout = findStripedLayout(file.tensors);
    return layout?.generation === 2 ? incompleteness(layout) ?? true : null;
  },
  open,
};

async function open(file: TensorFile, config: unknown, given: OptionOverrides): Promise<LongConvModel> {
  const layout = findStripedLayout(file.tensors);
  const incomplete = layout && incompleteness(layout);
  if (!layout || incomplete) {
    throw new UserError(`${file.path} is not a whole Evo 2 model: ${incomplete ?? 'it has no hyena blocks'}.`);
  }
  const sizes = readStripedSizes(file, layout);
  const surgery = readEmbeddedSurgery(file);
  const where = path.join(path.dirname(file.path), 'config.json');
  return openStriped('evo2', file, layout, sizes, readEvo2Config(layout, sizes, config, where, given, surgery?.plan.model.options), surgery);
}
