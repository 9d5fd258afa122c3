import * as path from 'node:path';
import type { LongConvModel } from '../families/model';
import type { SurgeryPlan } from '../plan/plan';
import { TOOL } from '../version';
import { APPLY_SURGERY_SCRIPT } from './apply-surgery-script';

/** Name of the script beside an export. */
export const APPLY_SURGERY = 'apply_surgery.py';

/** Whether a text is such a script, of any export and version. */
export const isApplySurgeryScript = (text: string): boolean => text.startsWith(APPLY_SURGERY_SCRIPT.slice(0, APPLY_SURGERY_SCRIPT.indexOf('\n')));

/**
 * Python that loads a baked or sidecar export, called `exportName`, into the original PyTorch model; undefined where the original code of a masked
 * site has no interface that the script knows (Site.hyenaFilter).
 */
export function applySurgeryScript(model: LongConvModel, plan: SurgeryPlan, exportName: string): string | undefined {
  const sites: Record<string, [string, number]> = {};
  for (const { site: id } of plan.sites) {
    const site = model.sites.find((known) => known.id === id);
    if (site?.hyenaFilter === undefined) {
      return undefined;
    }
    sites[id] = [site.hyenaFilter, site.taps];
  }
  const values: Record<string, string> = { TOOL, EXPORT: JSON.stringify(path.basename(exportName)), SITES: JSON.stringify(sites, undefined, 4) };
  return APPLY_SURGERY_SCRIPT.replace(/@(TOOL|EXPORT|SITES)@/g, (_, key: string) => values[key]);
}
