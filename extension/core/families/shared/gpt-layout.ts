import type { GptBlock } from './gpt-graph';
import type { TensorNames, WeightAndBias } from './tensor-names';

/** Names of the parts of a GPT-like model outside its mixers, in the names of the safari and H3 repositories. */
export interface GptFrame {
  readonly embedding: string;
  readonly blocks: readonly GptBlock[];
  readonly finalNorm: WeightAndBias;
  /** The stored head; absent where only the embedding that it is tied to is stored. */
  readonly head?: string;
}

/** Claims the frame of a model whose names begin with `prefix`, such as `backbone.`; its head lies beside the backbone. */
export function claimGptFrame(names: TensorNames, prefix: string): GptFrame {
  const embedding = names.need(`${prefix}embeddings.word_embeddings.weight`);
  const blocks = Array.from({ length: names.count(`${prefix}layers.`) }, (_, layer): GptBlock => {
    const block = `${prefix}layers.${layer}.`;
    return { norm1: names.pair(`${block}norm1`), norm2: names.pair(`${block}norm2`), fc1: names.pair(`${block}mlp.fc1`), fc2: names.pair(`${block}mlp.fc2`) };
  });
  return { embedding, blocks, finalNorm: names.pair(`${prefix}ln_f`), head: names.buffer(`${prefix.replace(/backbone\.$/, '')}lm_head.weight`) };
}
