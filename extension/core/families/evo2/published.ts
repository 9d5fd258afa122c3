/** Settings of a published Evo 2 model that its tensors do not tell. */
export interface PublishedModel {
  readonly name: string;
  readonly hidden: number;
  readonly layers: number;
  readonly inner: number;
  /** Longest inputs it was trained on. */
  readonly length: number;
  readonly rotaryBase: number;
  /** Positions are divided by this. */
  readonly positionScale: number;
  /** Trained with inputs of the projections rounded to 8 bits. */
  readonly fp8: boolean;
}

/** Source: configurations of ArcInstitute/evo2. Their checkpoints come without a config.json. */
export const PUBLISHED: readonly PublishedModel[] = [
  { name: 'evo2_1b_base', hidden: 1920, layers: 25, inner: 5120, length: 8192, rotaryBase: 1e4, positionScale: 1, fp8: true },
  { name: 'evo2_7b_base', hidden: 4096, layers: 32, inner: 11008, length: 8192, rotaryBase: 1e4, positionScale: 1, fp8: false },
  { name: 'evo2_7b_262k', hidden: 4096, layers: 32, inner: 11008, length: 262144, rotaryBase: 1e4, positionScale: 32, fp8: false },
  { name: 'evo2_7b', hidden: 4096, layers: 32, inner: 11264, length: 1048576, rotaryBase: 1e4, positionScale: 128, fp8: false },
  { name: 'evo2_20b', hidden: 8192, layers: 24, inner: 22528, length: 1048576, rotaryBase: 1e6, positionScale: 128, fp8: true },
  { name: 'evo2_40b_base', hidden: 8192, layers: 50, inner: 21888, length: 8192, rotaryBase: 1e6, positionScale: 1, fp8: true },
  { name: 'evo2_40b', hidden: 8192, layers: 50, inner: 22528, length: 1048576, rotaryBase: 1e6, positionScale: 128, fp8: true },
];
