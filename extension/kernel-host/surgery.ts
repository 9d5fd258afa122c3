import * as path from 'node:path';
import { UserError } from '../core/errors';
import type { LongConvModel, OptionOverrides, Site } from '../core/families/model';
import { OnnxModel } from '../core/families/onnx/model';
import { siteLength } from '../core/families/site-shape';
import { refuseSitesOnly } from '../core/families/sites-only';
import { siteFilter } from '../core/plan/apply';
import { checkPlan } from '../core/plan/check';
import { loadPlan, readPlan, resolveModelPath } from '../core/plan/read';
import type { SurgeryPlan } from '../core/plan/plan';
import type { SiteFilter } from '../core/plan/site-filter';
import { fingerprint } from '../core/formats/fingerprint';
import type { Engine } from '../core/engine/engine';
import type { ReportProgress } from '../core/protocol/rpc';
import type { OpenModels } from './models';

/** A plan with the model it belongs to, checked against each other. */
export interface Surgery { readonly plan: SurgeryPlan; readonly planPath: string; readonly model: LongConvModel }

/** Opens a plan (or its unsaved text) and its model; refuses a model file that is not the one the plan was made for. */
export async function openSurgery(models: OpenModels, planPath: string, planText?: string): Promise<Surgery> {
  const surgery = await openUnchecked(models, planPath, planText);
  refuseOtherSource(surgery, await fingerprint(surgery.model.file.path));
  return surgery;
}

/** The same without the pass over the model's file, for callers that read it anyway and then call refuseOtherSource. */
export async function openUnchecked(models: OpenModels, planPath: string, planText?: string): Promise<Surgery> {
  const plan = planText === undefined ? await loadPlan(planPath) : readPlan(planText, planPath);
  const modelPath = resolveModelPath(plan, planPath);
  const model = await models.model(modelPath, plan.model.options);
  checkPlan(plan, model);
  return { plan, planPath, model };
}

/** Refuses a model file that is not the one the plan was made for. */
export function refuseOtherSource({ plan, planPath, model }: Surgery, actual: string): void {
  if (actual !== plan.model.fingerprint) {
    throw new UserError(
      `${path.basename(planPath)} was made for another ${path.basename(model.path)}: model.fingerprint is ${plan.model.fingerprint}, the file has ${actual}.`,
      'Point model.path at the original file, or make a new plan for this one.',
    );
  }
}

/**
 * The model as it stands: its own filters, with the masks of a surgery that travels in the file (sidecar exports). `length`: of the runs they are
 * for, so that causal filters need no taps that such inputs do not reach; by default they have all their taps.
 */
export async function standingFilters(model: LongConvModel, engine: Engine, length?: number): Promise<Map<string, SiteFilter>> {
  const filters = new Map<string, SiteFilter>();
  for (const site of model.sites) filters.set(site.id, await standingFilter(model, site, engine, length));
  return filters;
}

/** The same for one site. */
export function standingFilter(model: LongConvModel, site: Site, engine: Engine, length?: number): Promise<SiteFilter> {
  const masks = site.embedded ? [] : (model.embeddedPlan?.sites.find((planned) => planned.site === site.id)?.masks ?? []);
  const cut = length !== undefined && masks.length === 0 && site.direction === 'causal' && !site.embedded && !site.ringOfRun;
  const reached = cut ? Math.min(site.taps, siteLength(site, length)) : site.taps;
  return siteFilter(model, { ...site, taps: reached }, masks, engine, { recausalise: model.recausalised ?? false });
}

/** Filters of the sites that the plan changes. */
export async function changedFilters({ plan, model }: Surgery, engine: Engine, recausalise: boolean, progress?: ReportProgress): Promise<Map<string, SiteFilter>> {
  const filters = new Map<string, SiteFilter>();
  for (const [done, { site: id, masks }] of plan.sites.entries()) {
    progress?.({ message: `masking ${id}`, fraction: done / plan.sites.length });
    filters.set(id, await siteFilter(model, model.sites.find((site) => site.id === id)!, masks, engine, { recausalise }));
  }
  return filters;
}

/** The model of a path, or of a plan, before its filters are made. */
export async function openSourceModel(models: OpenModels, source: string, options: OptionOverrides | undefined): Promise<LongConvModel> {
  return source.endsWith('.json') ? (await openSurgery(models, source)).model : models.model(source, options);
}

/**
 * Model or plan, whichever the path names, with the filters that it runs with on inputs of `length`: longer ones, where the model's exist at
 * any length and nobody said how long they are.
 */
export async function openSource(
  models: OpenModels, source: string, options: OptionOverrides | undefined, recausalise: boolean, engine: Engine, length: number,
): Promise<{ model: LongConvModel; filters: Map<string, SiteFilter> }> {
  if (!source.endsWith('.json')) {
    let model = await models.model(source, options);
    refuseSitesOnly(model);
    const { growsWith } = model;
    if (growsWith !== undefined && options?.[growsWith] === undefined && length > model.maxLength) {
      model = await models.model(source, { ...options, [growsWith]: length });
    }
    refuseSitesOnly(model);
    return { model, filters: await standingFilters(model, engine, model instanceof OnnxModel ? undefined : length) };
  }
  const surgery = await openSurgery(models, source);
  refuseSitesOnly(surgery.model);
  const filters = await standingFilters(surgery.model, engine, surgery.model instanceof OnnxModel ? undefined : length);
  for (const [id, filter] of await changedFilters(surgery, engine, recausalise)) filters.set(id, filter);
  return { model: surgery.model, filters };
}
