import type { TensorFile } from '../../formats/tensor-file';
import { embeddedFilter, type EmbeddedSurgery } from '../embedded-surgery';
import type { Site } from '../model';
import type { FilterSource } from './family-model';
import { bakedFilterName, listedNames } from './tensor-names';

/** A site as the family describes it, before it is known whether an earlier surgery replaced its filter. */
export interface SiteDraft extends Omit<Site, 'embedded' | 'direction'> {
  readonly direction?: Site['direction'];
  /** Makes the filter; may be left out only where the file holds a baked one. */
  readonly source?: FilterSource;
}

/** The sites of a model and what makes their filters. Where the file holds a site's baked filter, that one counts. */
export function makeSites(
  file: TensorFile, surgery: EmbeddedSurgery | undefined, drafts: readonly SiteDraft[],
): { readonly sites: readonly Site[]; readonly filters: ReadonlyMap<string, FilterSource> } {
  const filters = new Map<string, FilterSource>();
  const sites = drafts.map(({ source, direction = 'causal', ...draft }): Site => {
    const tensor = bakedFilterName(draft.id);
    if (file.tensors.has(tensor)) {
      const { id, layer, channels } = draft;
      const { embedded, taps } = embeddedFilter(file, surgery, id, tensor, channels, draft.taps > 0 ? draft.taps : undefined, direction);
      return {
        id, layer, channels, direction, taps, rate: draft.rate, hyenaFilter: draft.hyenaFilter, storage: 'explicit', writeBack: ['baked'], filterTensors: [tensor],
        finite: draft.finite, ringOfRun: draft.ringOfRun, embedded,
      };
    }
    if (!source) {
      throw new Error(`site ${draft.id} has no filter`);
    }
    filters.set(draft.id, source);
    return { ...draft, direction };
  });
  return { sites, filters };
}

/** What a user must know of the surgery that a file carries. */
export function surgeryNotes(surgery: EmbeddedSurgery | undefined): string[] {
  if (!surgery) {
    return [];
  }
  const causal = surgery.recausalised ? ', re-causalised' : '';
  return [surgery.form === 'sidecar'
    ? `The file carries a surgery plan as a sidecar${causal}: its weights are the original ones, and runs apply the plan's masks to their filters.`
    : `The file is the result of a surgery (${surgery.form}${causal}): the filters of ${listedNames(surgery.plan.sites.map(({ site }) => site))} are the changed ones.`];
}
