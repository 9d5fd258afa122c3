import * as path from 'node:path';
import { UserError } from '../../errors';
import type { TensorFile, TensorInfo } from '../../formats/tensor-file';
import { readEmbeddedSurgery } from '../embedded-surgery';
import type { Family, LongConvModel, OptionOverrides } from '../model';
import { incompleteness } from '../shared/tensor-names';
import { DEFAULT_CONFIG, readConfig } from './config';
import type { HyenaDnaLayout } from './layout';
import { findLayout, HUGGING_FACE_PREFIX, PREFIXES } from './layout';
import { openHyenaNetwork } from './open';
import { chooseShift } from './shift';
import { HYENADNA_TOKENIZER } from './tokenizer';

/** Embedding rows above this are not a padded character vocabulary. */
const MOST_VOCABULARY_ROWS = 16;

/** Causal DNA language models of order-2 Hyena operators. Source: HazyResearch/hyena-dna and LongSafari/hyenadna-*-hf. */
export const HYENADNA: Family = {
  name: 'hyenadna',
  lookedFor: `HyenaDNA: ${PREFIXES.map((prefix) => `${prefix}layers.0.mixer.filter_fn.*`).join(' or ')}`,
  recognise(file) {
    const layout = findLayout(file.tensors);
    return layout === null || !isHyenaDna(layout, file.tensors) ? null : incompleteness(layout) ?? true;
  },
  open,
};

/**
 * Hyena language models of other data have the same tensor names; HyenaDNA has a vocabulary of characters and order 2. Only the Hugging
 * Face code, which HyenaDNA alone has, tells it by its prefix.
 */
export function isHyenaDna(layout: HyenaDnaLayout, tensors: ReadonlyMap<string, TensorInfo>): boolean {
  const rows = tensors.get(layout.embedding)?.shape[0];
  return layout.prefix === HUGGING_FACE_PREFIX || (layout.order === 2 && rows !== undefined && isCharacterVocabulary(rows));
}

const isCharacterVocabulary = (rows: number): boolean => rows >= HYENADNA_TOKENIZER.vocabularySize && rows <= MOST_VOCABULARY_ROWS;

async function open(file: TensorFile, rawConfig: unknown, given: OptionOverrides): Promise<LongConvModel> {
  const layout = findLayout(file.tensors);
  const incomplete = layout && incompleteness(layout);
  if (!layout || incomplete) {
    throw new UserError(`${file.path} is not a whole HyenaDNA model: ${incomplete ?? 'it has no Hyena layers'}.`);
  }
  refuseOthers(file, layout);
  const configPath = path.join(path.dirname(file.path), 'config.json');
  const config = rawConfig === undefined ? DEFAULT_CONFIG : readConfig(rawConfig, configPath);
  const surgery = readEmbeddedSurgery(file);
  const shift = chooseShift({ given, embedded: surgery?.plan.model.options, config, gradientCheckpointing: layout.gradientCheckpointing });
  return openHyenaNetwork(file, layout, {
    family: 'hyenadna', config, configPath, surgery, tokenizer: HYENADNA_TOKENIZER,
    modulate: config.modulate, shift: Number(shift.value), options: [shift],
    notes: [`The shift of the filters' window is ${shift.value} (${shift.source}); with another value the filters and all results differ.`],
  });
}

function refuseOthers(file: TensorFile, layout: HyenaDnaLayout): void {
  const rows = file.tensors.get(layout.embedding)?.shape[0] ?? 0;
  if (!isCharacterVocabulary(rows)) {
    throw new UserError(`${file.path} is a Hyena model with a vocabulary of ${rows}, but HyenaDNA has ${HYENADNA_TOKENIZER.vocabularySize} characters, stored in up to ${MOST_VOCABULARY_ROWS} rows.`);
  }
  if (layout.order !== 2) {
    throw new UserError(`${file.path} has Hyena operators of order ${layout.order} (by the shape of ${layout.layers[0].inProj.weight}), and only order 2 is supported for HyenaDNA.`);
  }
}
