import { hasParts, verifyParts } from '../../../../extension/core/export/onnx/verify-parts';
import { openOnnxModel } from '../../../../extension/core/families/onnx/index';
import type { OnnxModel } from '../../../../extension/core/families/onnx/model';
import { filterColumns } from '../../../../extension/core/families/site-shape';
import type { OptionOverrides, Site } from '../../../../extension/core/families/model';
import { openOnnx } from '../../../../extension/core/formats/onnx/read';
import type { DenseTensor } from '../../../../extension/core/graph/dense-sessions';
import { ModelRunner } from '../../../../extension/core/graph/runtime';
import type { SurgeryPlan } from '../../../../extension/core/plan/plan';
import type { SiteFilter } from '../../../../extension/core/plan/site-filter';
import { OnnxSessions } from '../../../../extension/kernel-host/onnx-sessions';
import { referenceEngine } from '../../graph/support/reference-engine';

export const sessions = new OnnxSessions({ threads: 1 });

export async function open(file: string, options: OptionOverrides = {}): Promise<OnnxModel> {
  return (await openOnnxModel(await openOnnx(file), sessions, options)) as OnnxModel;
}

/** A site's filter with every lag of |lag| >= keep set to 0; all of it without `keep`. */
export async function keptFilter(model: OnnxModel, site: Site, keep = Infinity): Promise<SiteFilter> {
  const columns = filterColumns(site);
  const rows = await model.filter(site.id, { channels: [0, site.channels], taps: [0, columns] });
  for (let i = 0; i < rows.length; i++) {
    const column = i % columns;
    const lag = site.direction === 'bidirectional' && column >= site.taps ? columns - column : column;
    if (lag >= keep) rows[i] = 0;
  }
  const part = { channels: [0, site.channels] as const, masked: keep !== Infinity, mode: site.direction, filterLength: columns, rows };
  return { site, parts: [part], measures: { filterError: 0, leak: 0, keptBins: 1, keptTaps: keep === Infinity ? 1 : keep / site.taps } };
}

export async function keptFilters(model: OnnxModel, keep?: number): Promise<Map<string, SiteFilter>> {
  return new Map(await Promise.all(model.sites.map(async (site) => [site.id, await keptFilter(model, site, keep)] as const)));
}

/** The model through our runtime, with convolutions as plain float64 sums. */
export async function runHere(model: OnnxModel, filters: ReadonlyMap<string, SiteFilter>, feeds: ReadonlyMap<string, DenseTensor>): Promise<Map<string, DenseTensor>> {
  const graph = await model.graph();
  const runner = await ModelRunner.create({ graph, sessions, engine: referenceEngine, filters, maxLength: model.maxLength });
  try {
    return await runner.runFeeds(feeds, graph.model.graph!.output!.map(({ name }) => name!));
  } finally {
    await runner.dispose();
  }
}

/** Verifies an export by its parts; the largest relative difference of its changed sites. NaN where these cannot be run by themselves. */
export async function verifiedByParts(source: OnnxModel, output: string, changed: ReadonlyMap<string, SiteFilter>, touched: ReadonlySet<string>): Promise<number> {
  if (!hasParts(source, changed)) return NaN;
  const written = await open(output, Object.fromEntries(source.options.map(({ name, value }) => [name, value])));
  try {
    return Math.max(...(await verifyParts({ source, written, changed, touched, engine: referenceEngine, sessions, seed: 5 })).values());
  } finally {
    await written.close();
  }
}

/** The file in plain ONNX Runtime. */
export async function runThere(file: string, feeds: ReadonlyMap<string, DenseTensor>): Promise<Map<string, DenseTensor>> {
  const session = await sessions.createFromFile(file);
  try {
    return await session.run(feeds, session.outputNames);
  } finally {
    await session.dispose();
  }
}

export const planOf = (model: OnnxModel): SurgeryPlan =>
  ({ version: 1, model: { path: model.path, family: 'onnx', fingerprint: 'sha256:0' }, sites: model.sites.map(({ id }) => ({ site: id, masks: [] })) });

/** ||a - b|| / ||b||; a zero b gives NaN or Infinity. */
export function relative(a: DenseTensor | undefined, b: DenseTensor | undefined): number {
  if (!a || !b || a.data.length !== b.data.length || a.dims.join() !== b.dims.join()) return NaN;
  let difference = 0;
  let norm = 0;
  for (let i = 0; i < b.data.length; i++) {
    difference += (Number(a.data[i]) - Number(b.data[i])) ** 2;
    norm += Number(b.data[i]) ** 2;
  }
  return Math.sqrt(difference / norm);
}
