import * as path from 'node:path';
import { UserError } from '../../errors';
import type { TensorFile } from '../../formats/tensor-file';
import { readEmbeddedSurgery } from '../embedded-surgery';
import { isHyenaDna } from '../hyenadna/index';
import { findLayout } from '../hyenadna/layout';
import { openHyenaNetwork } from '../hyenadna/open';
import type { Family, LongConvModel, OptionOverrides } from '../model';
import { incompleteness } from '../shared/tensor-names';
import { readHyenaConfig } from './config';
import { chooseOptions } from './options';

/**
 * Causal language models of Hyena operators of any order, as trained with the safari repository. The network is HyenaDNA's; the
 * vocabulary, the order and the modulation of the filters differ. Source: HazyResearch/safari and Zymrael/hyena-small-150b-tok.
 */
export const HYENA: Family = {
  name: 'hyena',
  lookedFor: 'Hyena: the same with another vocabulary or order',
  recognise(file) {
    const layout = findLayout(file.tensors);
    return layout === null || isHyenaDna(layout, file.tensors) ? null : incompleteness(layout) ?? true;
  },
  open,
};

async function open(file: TensorFile, rawConfig: unknown, given: OptionOverrides): Promise<LongConvModel> {
  const layout = findLayout(file.tensors);
  const incomplete = layout && incompleteness(layout);
  if (!layout || incomplete) {
    throw new UserError(`${file.path} is not a whole Hyena model: ${incomplete ?? 'it has no Hyena layers'}.`);
  }
  const configPath = path.join(path.dirname(file.path), 'config.json');
  const config = readHyenaConfig(rawConfig, configPath, layout.order);
  const surgery = readEmbeddedSurgery(file);
  const options = chooseOptions(given, surgery?.plan.model.options, config);
  return openHyenaNetwork(file, layout, { family: 'hyena', config, configPath, surgery, ...options });
}
