import type { KernelHostApi, ModelRef } from '../../core/protocol/kernel-host';
import type { ReportProgress } from '../../core/protocol/rpc';
import { fingerprint } from '../../core/formats/fingerprint';
import { checkOutputs, filesOf } from '../../core/io/check-outputs';
import { makePlan } from '../../core/plan/make';
import { host } from '../host';
import { findSite } from '../models';
import { cellHeatmap, timeHeatmap } from '../views/heatmaps';
import type { FilterStore } from '../views/filter-store';
import { siteOverview } from '../views/overview';
import { frequencySeries, timeSeries } from '../views/series';
import { bench } from './bench';
import { exportFilter } from './export-filter';
import { exportPlan } from './export-plan';
import { forward } from './forward';
import { summarise } from './inspect';
import { measure } from './measure';
import { preview } from './preview';
import { search } from './search';
import { sweep } from './sweep';
import { validatePlan } from './validate';

type Jobs = { [M in keyof KernelHostApi]: (params: Parameters<KernelHostApi[M]>[0], progress: ReportProgress) => ReturnType<KernelHostApi[M]> };

/** Every job of the kernel host, by the name that callers use. */
export const jobs: Jobs = {
  devices: async () => host().engine.devices(),
  inspect: async ({ model, options }) => summarise(await host().models.model(model, options)),
  fingerprint: ({ path }) => fingerprint(path),
  makePlan: async (request) => {
    const model = await host().models.model(request.model, request.options);
    await checkOutputs(request.writes ?? [], filesOf(model.file));
    return makePlan(model, request, host().engine, await fingerprint(model.file.path));
  },
  timeSeries: async (request) => timeSeries(await store(request), request, host().engine),
  frequencySeries: async (request) => {
    const { model, options, site } = request;
    const { defaultGrid } = (await summarise(await host().models.model(model, options))).sites.find(({ id }) => id === site)!;
    return frequencySeries(await store(request), { fftSize: defaultGrid.fftSize, ...request }, host().engine);
  },
  timeHeatmap: async (request) => timeHeatmap(await store(request), request.rows, request.columns),
  cellHeatmap: async (request) => cellHeatmap(await store(request), request, host().engine),
  overview: async (request) => siteOverview(await store(request), request.columns, host().engine),
  preview: async (request) => preview(await store(request), request, host().engine),
  measure: async (request) => measure(await store(request), request, host().engine),
  exportFilter: async ({ model: file, site, options, output }, progress) => {
    const model = await host().models.model(file, options);
    await checkOutputs([output], filesOf(model.file));
    return exportFilter(model, findSite(model, site), host().engine, output, progress);
  },
  forward,
  validate: validatePlan,
  bench,
  exportPlan,
  sweep,
  search,
};

function store(request: ModelRef & { site: string }): Promise<FilterStore> {
  return host().models.filterStore(request.model, request.site, request.options);
}
