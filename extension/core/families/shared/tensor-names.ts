import type { TensorInfo } from '../../formats/tensor-file';

/** Names of the two tensors of a linear layer, a convolution or a LayerNorm. */
export interface WeightAndBias { readonly weight: string; readonly bias: string }
/** The same where the bias may be left out. */
export interface LinearNames { readonly weight: string; readonly bias?: string }

/** Tensor that holds a site's filter in a baked export. */
export const bakedFilterName = (site: string): string => `longconv.surgeon.${site}.k`;
const BAKED = /^longconv\.surgeon\..+\.k$/;

/**
 * Which tensors of a file a family has a place for. Names are claimed while the layout is read; what was needed and is not there is
 * `missing`, what nobody claimed is left over. A model is opened only when nothing is missing and nothing unclaimed lies inside it,
 * because a tensor without a place would change what the model computes.
 */
export class TensorNames {
  readonly missing: string[] = [];
  private readonly claimed = new Set<string>();
  private readonly parameters = new Set<string>();

  constructor(private readonly tensors: ReadonlyMap<string, TensorInfo>) {}

  /** A trained tensor that must be there. */
  need(name: string): string {
    if (!this.tensors.has(name) && !this.missing.includes(name)) {
      this.missing.push(name);
    }
    this.parameters.add(name);
    return this.claim(name);
  }

  /** The weight and bias of a module that must be there. */
  pair(module: string): WeightAndBias {
    return { weight: this.need(`${module}.weight`), bias: this.need(`${module}.bias`) };
  }

  /** The weight of a module that must be there, and its bias where there is one. */
  linear(module: string): LinearNames {
    return { weight: this.need(`${module}.weight`), bias: this.optional(`${module}.bias`) };
  }

  /** Counts a claimed tensor as trained: the parameter among copies of which some may be left out. */
  parameter(name: string | undefined): void {
    if (name !== undefined) this.parameters.add(name);
  }

  /** A trained tensor that may be left out. */
  optional(name: string): string | undefined {
    return this.tensors.has(name) ? this.need(name) : undefined;
  }

  /** A tensor that is not trained, or repeats another one, and may be left out. */
  buffer(name: string): string | undefined {
    return this.tensors.has(name) ? this.claim(name) : undefined;
  }

  /** The tensor of a filter that an earlier surgery left in the file. */
  baked(site: string): string | undefined {
    return this.optional(bakedFilterName(site));
  }

  shape(name: string): readonly number[] | undefined {
    return this.tensors.get(name)?.shape;
  }

  has(name: string): boolean {
    return this.tensors.has(name);
  }

  /** Highest N + 1 over all names `<prefix>N.`; a gap shows up as missing tensors of the layers in it. */
  count(prefix: string): number {
    let count = 0;
    for (const name of this.tensors.keys()) {
      const index = name.startsWith(prefix) ? /^(\d{1,4})\./.exec(name.slice(prefix.length)) : null;
      count = Math.max(count, index ? Number(index[1]) + 1 : 0);
    }
    return count;
  }

  /** Unclaimed tensors under one of the prefixes, and baked filters of sites that do not exist. */
  unknown(prefixes: readonly string[]): string[] {
    return this.unclaimed().filter((name) => BAKED.test(name) || prefixes.some((prefix) => name.startsWith(prefix)));
  }

  /** Unclaimed tensors outside the prefixes, such as training counters and other heads. */
  ignored(prefixes: readonly string[]): string[] {
    const unknown = new Set(this.unknown(prefixes));
    return this.unclaimed().filter((name) => !unknown.has(name));
  }

  /** Number of elements of all claimed trained tensors. */
  parameterCount(): number {
    let count = 0;
    for (const name of this.parameters) {
      count += (this.tensors.get(name)?.shape ?? [0]).reduce((product, dimension) => product * dimension, 1);
    }
    return count;
  }

  private claim(name: string): string {
    this.claimed.add(name);
    return name;
  }

  private unclaimed(): string[] {
    return [...this.tensors.keys()].filter((name) => !this.claimed.has(name));
  }
}

/** What keeps a layout from being a whole model, as the end of a sentence; null when nothing does. */
export function incompleteness({ missing, unknown }: { readonly missing: readonly string[]; readonly unknown: readonly string[] }): string | null {
  if (missing.length > 0) {
    return `it lacks ${listedNames(missing)}`;
  }
  return unknown.length > 0 ? `it has ${listedNames(unknown)}, which this model has no place for` : null;
}

export function listedNames(names: readonly string[]): string {
  const shown = names.slice(0, 3).join(', ');
  return names.length > 3 ? `${shown} and ${names.length - 3} more` : shown;
}
