import { UserError } from '../../errors';
import { DEFAULT_CONFIG, type HyenaDnaConfig, readConfig } from '../hyenadna/config';

/**
 * Reads the config.json of a safari language model: the training repository's keys, as they are or in `model_config` beside the names of
 * the model and its tokenizer. `order` is that of the stored Hyena operators.
 */
export function readHyenaConfig(config: unknown, where: string, order: number): HyenaDnaConfig {
  if (config === undefined) {
    return DEFAULT_CONFIG;
  }
  const nested = typeof config === 'object' && config !== null && 'model_config' in config ? config.model_config : config;
  const read = readConfig(nested, where, { family: 'Hyena', order });
  if (read.kind !== 'original') {
    throw new UserError(`${where} has no "layer", which says what the Hyena operators of this model are.`, 'Give the configuration that the model was trained with, or move the file away.');
  }
  return read;
}
