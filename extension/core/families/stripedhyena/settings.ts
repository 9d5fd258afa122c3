import type { Rotary } from '../shared/attention';

/** Order of the three parts in the channels that the projections make. */
export type PartLayout = 'heads' | 'interleaved' | 'contiguous';
export type Activation = 'gelu' | 'silu' | 'identity';

/** What a config.json says of a network and no tensor tells, as far as the graph needs it. */
export interface GraphSettings {
  readonly heads: number;
  /** x2, x1, v of a hyena block: within each head, channel by channel, or one after the other. */
  readonly parts: PartLayout;
  /** Rows of the fused attention projection: by head (query, key, value of the first head, ...), or all queries first. */
  readonly attentionByHead: boolean;
  /** Whether the first part is x1 and the second x2. */
  readonly flipped: boolean;
  readonly eps: number;
  /** x / sqrt(mean(x^2) + eps), or x / (sqrt(mean(x^2)) + eps). */
  readonly epsInRoot: boolean;
  /** Of the gated MLP, by block. */
  readonly activation: (block: number) => Activation;
  /** Rates of the rotary embedding; its dimension is that of a head. */
  readonly rotary: Pick<Rotary, 'base' | 'positionScale'>;
}
