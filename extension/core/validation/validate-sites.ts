import type { Engine } from '../engine/engine';
import type { LongConvModel } from '../families/model';
import { siteFilter } from '../plan/apply';
import type { SurgeryPlan } from '../plan/plan';
import type { ReportProgress } from '../protocol/rpc';
import { TOOL } from '../version';
import { findings } from './findings';
import type { DeviceInfo, SiteReport, ValidationReport } from './report';
import { measureSite, siteReport } from './site-report';
import { verdictOf } from './verdict';

export interface SitesValidation {
  readonly model: LongConvModel;
  readonly plan: SurgeryPlan;
  readonly planPath: string;
  readonly length: number;
  readonly engine: Engine;
  readonly device: DeviceInfo;
}

/**
 * The report of a model that cannot be run as a whole, or takes minutes for every run: each masked site by itself, one after the other, so that memory is that of one
 * site. Output errors are those on white noise.
 */
export async function validateSites({ model, plan, planPath, length, engine, device }: SitesValidation, progress: ReportProgress): Promise<ValidationReport> {
  const sites: SiteReport[] = [];
  for (const [done, { site: id, masks }] of plan.sites.entries()) {
    progress({ message: `site ${id}`, fraction: done / plan.sites.length });
    const site = model.sites.find((known) => known.id === id)!;
    const sidecar = site.embedded ? [] : (model.embeddedPlan?.sites.find((planned) => planned.site === id)?.masks ?? []);
    const variants = {
      dense: await siteFilter(model, site, sidecar, engine, { recausalise: model.recausalised ?? false }),
      masked: await siteFilter(model, site, masks, engine, { recausalise: false }),
      recausalised: await siteFilter(model, site, masks, engine, { recausalise: true }),
    };
    const { times, noiseErrors } = await measureSite(variants, length, engine, device.threads);
    sites.push(siteReport(variants.masked, times, noiseErrors));
  }
  const task = model.task ?? 'next-token';
  progress({ message: 'done', fraction: 1 });
  return {
    version: 1, tool: TOOL, created: new Date().toISOString(),
    model: { path: model.path, family: model.family, fingerprint: plan.model.fingerprint, parameters: model.parameters, notes: model.notes },
    plan: { path: planPath, sites: plan.sites.length },
    task, data: null, windows: 0, length, sites, device,
    verdict: verdictOf(sites, undefined, undefined),
    findings: [
      `The model ${model.sitesOnly ?? model.weightsOnDisk}, so each site was measured by itself: output errors are those on white noise, and there is no figure for the whole model.`,
      ...(model.sitesOnly === undefined ? ['With data it is run as a whole, its weights read from disk layer by layer: then there are a quality and output errors on real activations.'] : []),
      ...findings({ sites, task }),
    ],
  };
}
