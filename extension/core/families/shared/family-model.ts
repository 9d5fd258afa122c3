import * as path from 'node:path';
import type { Engine } from '../../engine/engine';
import type { LongConvModel, Site, TapRange } from '../model';
import { longestInput, readEmbeddedFilter } from '../embedded-surgery';
import { filterColumns } from '../site-shape';

/** Makes rows of one site's filter; see LongConvModel.filter. The range has been checked. */
export type FilterSource = (range: TapRange, engine: Engine, reuse?: Float32Array) => Promise<Float32Array>;

/** The array for a result of `length` elements: the caller's where it gave one of that size, else a new one. */
export const resultArray = (length: number, reuse?: Float32Array): Float32Array => (reuse?.length === length ? reuse : new Float32Array(length));

export interface FamilyModelParts extends Omit<LongConvModel, 'name' | 'path' | 'filter' | 'close'> {
  /** By site id; none where the site's filter is embedded. */
  readonly filters: ReadonlyMap<string, FilterSource>;
}

/** An opened model of any family. It owns its file. */
export function familyModel({ filters, ...parts }: FamilyModelParts): LongConvModel {
  const { file, sites } = parts;
  const name = title(file.path);
  return {
    ...parts,
    name,
    path: file.path,
    async filter(siteId, range, engine, reuse) {
      const site = sites.find(({ id }) => id === siteId);
      if (!site || !inside(range.channels, site.channels) || !inside(range.taps, filterColumns(site))) {
        throw new RangeError(`no channels [${range.channels.join(', ')}) and taps [${range.taps.join(', ')}) in site ${siteId} of ${name}`);
      }
      if (site.embedded) {
        return readEmbeddedFilter(file, site.embedded, range, site);
      }
      const source = filters.get(siteId);
      if (!source) {
        throw new Error(`site ${siteId} has neither a source nor an embedded filter`);
      }
      return source(range, engine, reuse);
    },
    close: () => file.close(),
  };
}

/** Longest input of a model: that of its tightest site, and of the filters' own declared length where there is one. */
export function longestModelInput(sites: readonly Site[], declared = Infinity): number {
  return Math.min(declared, ...sites.map(({ taps, finite, embedded }) => Math.min(finite ? Infinity : taps, embedded ? longestInput(embedded) : Infinity)));
}

/** The folder's name where the file has the name that every such file has. */
function title(file: string): string {
  const name = path.basename(file);
  return name === 'model.safetensors' ? path.basename(path.dirname(file)) || name : name;
}

const inside = ([first, end]: readonly [number, number], size: number): boolean =>
  Number.isInteger(first) && Number.isInteger(end) && first >= 0 && first <= end && end <= size;
