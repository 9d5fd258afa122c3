import { UserError } from '../../errors';
import type { Engine } from '../../engine/engine';
import type { OnnxModel } from '../../families/onnx/model';
import type { OnnxSite } from '../../families/onnx/site';
import { type DenseSessions, type DenseTensor, emptyData } from '../../graph/dense-sessions';
import { randomFeeds } from '../../graph/feeds';
import { ModelRunner } from '../../graph/runtime';
import type { SiteFilter } from '../../plan/site-filter';
import { relativeDifference } from '../relative-difference';
import { refuseUnloadable } from './skeleton';
import { refuseOtherChanges } from './untouched';

export interface PartsToVerify {
  readonly source: OnnxModel;
  /** The exported file, opened with the source's options. */
  readonly written: OnnxModel;
  /** Of the sites that the plan changes. */
  readonly changed: ReadonlyMap<string, SiteFilter>;
  /** Tensors whose values were to change. */
  readonly touched: ReadonlySet<string>;
  readonly engine: Engine;
  readonly sessions: DenseSessions;
  readonly seed: number;
}

/** Whether the changed sites lie between values of the file itself, so that they can be run by themselves in every file that has these. */
export function hasParts({ onnxSites, file }: OnnxModel, changed: ReadonlyMap<string, SiteFilter>): boolean {
  const { graph } = file.structure;
  const known = new Set([...graph.inputs.map(({ name }) => name), ...graph.initializers.keys(), ...graph.nodes.flatMap(({ outputs }) => outputs)]);
  return onnxSites.every(({ id, u, y, bias }) => !changed.has(id) || [u.value, y.value, bias ?? u.value].every((name) => known.has(name)));
}

/**
 * Verifies an exported model in memory that does not grow with it, once its untouched tensors have been compared: everything outside of the changed
 * sites is byte for byte the source's, ONNX Runtime loads it, and every changed site, run by itself on random input in ONNX Runtime, gives what
 * the native kernels give. Returns the relative difference of each site's results.
 */
export async function verifyParts(parts: PartsToVerify): Promise<Map<OnnxSite, number>> {
  const { source, written, changed, touched, sessions } = parts;
  const sites = source.onnxSites.filter(({ id }) => changed.has(id));
  refuseOtherChanges(source.file, written.view, sites, touched);
  await refuseUnloadable(source.file, written.file, sessions);
  const differences = new Map<OnnxSite, number>();
  for (const site of sites) {
    const { actual: whole, expected } = await runSite(parts, site);
    const actual = firstSamples(whole, site.y.timeAxis, expected.dims[site.y.timeAxis]);
    if (actual.type !== expected.type || actual.dims.join() !== expected.dims.join()) {
      throw new UserError(`The exported model gives ${actual.type} [${actual.dims.join(', ')}] at ${site.id} instead of ${expected.type} [${expected.dims.join(', ')}], so it was not kept.`);
    }
    differences.set(site, relativeDifference(actual.data, expected.data));
  }
  return differences;
}

async function runSite({ source, written, changed, engine, sessions, seed }: PartsToVerify, site: OnnxSite): Promise<{ actual: DenseTensor; expected: DenseTensor }> {
  const graph = source.siteGraph(site);
  const feeds = randomFeeds(graph, source.maxLength, 0, seed);
  const wanted = site.y.value;
  const runner = await ModelRunner.create({ graph, sessions, engine, filters: new Map([[site.id, changed.get(site.id)!]]), maxLength: source.maxLength });
  try {
    const expected = (await runner.runFeeds(feeds, [wanted])).get(wanted)!;
    return { expected, actual: (await written.run([wanted], feeds)).get(wanted)! };
  } finally {
    await runner.dispose();
  }
}

/** The first samples of a value: what reads a site's result may take less than the original nodes make (tailIsCut). */
function firstSamples(value: DenseTensor, timeAxis: number, samples: number): DenseTensor {
  const { data, dims } = value;
  const inner = dims.slice(timeAxis + 1).reduce((a, b) => a * b, 1);
  const [whole, kept] = [dims[timeAxis] * inner, samples * inner];
  if (!(whole > kept)) return value;
  const first = emptyData(value.type, (data.length / whole) * kept);
  for (let row = 0; row * whole < data.length; row++) first.set(data.subarray(row * whole, row * whole + kept) as never, row * kept);
  return { ...value, data: first, dims: dims.map((size, axis) => (axis === timeAxis ? samples : size)) };
}
