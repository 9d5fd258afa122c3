import * as path from 'node:path';
import { UserError } from '../../errors';
import type { TensorFile } from '../../formats/tensor-file';
import { readEmbeddedSurgery } from '../embedded-surgery';
import type { Family, LongConvModel, OptionOverrides } from '../model';
import { incompleteness } from '../shared/tensor-names';
import { readStripedConfig } from './config';
import { findStripedLayout } from './layout';
import { openStriped } from './open';
import { readStripedSizes } from './sizes';

/** StripedHyena-7B (text) and Evo-1 (DNA): modal filters between attention layers. Source: togethercomputer/stripedhyena, evo-design/evo. */
export const STRIPEDHYENA: Family = {
  name: 'stripedhyena',
  lookedFor: 'StripedHyena and Evo: blocks.0.filter.poles',
  recognise(file) {
    const layout = findStripedLayout(file.tensors);
    return layout?.generation === 1 ? incompleteness(layout) ?? true : null;
  },
  open,
};

async function open(file: TensorFile, config: unknown, given: OptionOverrides): Promise<LongConvModel> {
  const layout = findStripedLayout(file.tensors);
  const incomplete = layout && incompleteness(layout);
  if (!layout || incomplete) {
    throw new UserError(`${file.path} is not a whole StripedHyena model: ${incomplete ?? 'it has no hyena blocks'}.`);
  }
  const sizes = readStripedSizes(file, layout);
  const surgery = readEmbeddedSurgery(file);
  const where = path.join(path.dirname(file.path), 'config.json');
  return openStriped('stripedhyena', file, layout, sizes, readStripedConfig(layout, sizes, config, where, given, surgery?.plan.model.options), surgery);
}
