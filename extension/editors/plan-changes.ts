import { UserError } from '../core/errors';
import type { SurgeryPlan } from '../core/plan/plan';
import type { SiteSummary } from '../core/protocol/kernel-host';
import type { PlanEdit } from '../core/protocol/webview';

/** The plan after a change that a page asked for. Sites keep the model's order. Throws a UserError when it cannot be done. */
export function changedPlan(plan: SurgeryPlan, edit: PlanEdit, sites: readonly SiteSummary[]): SurgeryPlan {
  const masksOf = new Map(plan.sites.map(({ site, masks }) => [site, masks]));
  if (edit.kind === 'clearAll' || edit.kind === 'setAll') masksOf.clear();
  if (edit.kind === 'setAll') edit.sites.forEach(({ site, masks }) => masksOf.set(site, masks));
  if (edit.kind === 'setMasks') masksOf.set(edit.site, edit.masks);
  if (edit.kind === 'copyToAll') {
    const source = sites.find(site => site.id === edit.site);
    const masks = masksOf.get(edit.site) ?? [];
    const fitting = sites.filter(site => site.channels === source?.channels && site.taps === source.taps && site.id !== edit.site);
    if (fitting.length === 0) throw new UserError(`No other site has the channels and taps of ${edit.site}, so its masks fit none.`);
    for (const site of fitting) masksOf.set(site.id, masks);
  }
  const order = new Map(sites.map((site, index) => [site.id, index]));
  const place = (site: string): number => order.get(site) ?? sites.length;
  const changed = [...masksOf].filter(([, masks]) => masks.length > 0).map(([site, masks]) => ({ site, masks }));
  return { ...plan, sites: changed.sort((a, b) => place(a.site) - place(b.site)) };
}
