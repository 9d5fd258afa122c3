import type { TensorInfo } from '../../formats/tensor-file';

/** Names of an opened H3 model, and the stored name of each. */
export type StoredNames = ReadonlyMap<string, string>;

const WRAPPER = 'model.';
const SITE_FILTER = /^longconv\.surgeon\./;

/**
 * The names that the H3 code loads a state dict under. Lightning checkpoints wrap them in `model.`, and older ones have other names:
 * `s4seq.encoder.` for `backbone.`, `embedding.` for the embeddings, and norms that are counted from the one before the first block.
 */
export function currentNames(tensors: ReadonlyMap<string, TensorInfo>): StoredNames {
  const names = [...tensors.keys()];
  const wrapped = names.some((name) => name.startsWith(`${WRAPPER}backbone.`) || name.startsWith(`${WRAPPER}s4seq.encoder.`));
  const renamed = new Map<string, string>();
  for (const stored of names) {
    const inner = wrapped && stored.startsWith(WRAPPER) ? stored.slice(WRAPPER.length) : stored;
    renamed.set(inner
      .replace(/^s4seq\.encoder\./, 'backbone.')
      .replace(/^embedding\./, 'backbone.embeddings.word_embeddings.')
      .replace(/^backbone\.norm\./, 'backbone.ln_0.'), stored);
  }
  return [...renamed.keys()].some((name) => name.startsWith('backbone.ln_0.')) ? withShiftedNorms(renamed) : renamed;
}

/** ln_0, norm1 and norm2 of each block become norm1 and norm2 of each block and ln_f: every norm moves to the place where it is read. */
function withShiftedNorms(names: StoredNames): StoredNames {
  const layers = 1 + Math.max(-1, ...[...names.keys()].map((name) => Number(/^backbone\.layers\.(\d+)\./.exec(name)?.[1] ?? -1)));
  const shifted = (name: string): string => {
    if (SITE_FILTER.test(name)) return name;
    if (name.startsWith('backbone.ln_0.')) return name.replace('ln_0', 'layers.0.norm1');
    const norm = /^backbone\.layers\.(\d+)\.norm([12])\.(.+)$/.exec(name);
    if (!norm) return name;
    const [, layer, which, rest] = norm;
    if (which === '1') return `backbone.layers.${layer}.norm2.${rest}`;
    return Number(layer) === layers - 1 ? `backbone.ln_f.${rest}` : `backbone.layers.${Number(layer) + 1}.norm1.${rest}`;
  };
  return new Map([...names].map(([name, stored]) => [shifted(name), stored]));
}
