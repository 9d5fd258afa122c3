import * as assert from 'node:assert/strict';
import type { Engine } from '../../../extension/core/engine/engine';
import type { LongConvModel } from '../../../extension/core/families/model';
import { filterColumns } from '../../../extension/core/families/site-shape';
import { ElementType, tensorType } from '../../../extension/core/graph/builder';
import type { ModelGraph } from '../../../extension/core/graph/model-graph';
import { ModelRunner, type ModelInput, type SiteEvent } from '../../../extension/core/graph/runtime';
import { siteFilter } from '../../../extension/core/plan/apply';
import type { SiteFilter } from '../../../extension/core/plan/site-filter';
import { OnnxSessions } from '../../../extension/kernel-host/onnx-sessions';
import { relativeError } from '../graph/support/measure';
import { referenceEngine } from '../graph/support/reference-engine';
import type { Expected } from './golden';

/** A golden tensor and what should equal it. `noise`: of the original float32 run, where the golden case has no float64 value (its README). */
export function assertGolden(actual: ArrayLike<number>, expected: Expected, name: string, tolerance: number, noise = 0): void {
  const { values, exact } = expected.get(name);
  const error = relativeError(actual, values);
  const allowed = exact ? tolerance : tolerance + 5 * noise;
  assert.ok(error <= allowed, `${name}: relative error ${error.toExponential(2)} > ${allowed}`);
}

/** Columns [from, to) of all channels of a site; all columns by default. */
export async function filterRows(model: LongConvModel, site: string, from = 0, to?: number, engine: Engine = referenceEngine): Promise<Float32Array> {
  const found = model.sites.find(({ id }) => id === site);
  assert.ok(found, `no site ${site} among ${model.sites.map(({ id }) => id).join(', ')}`);
  return model.filter(site, { channels: [0, found.channels], taps: [from, to ?? filterColumns(found)] }, engine);
}

/** Forward and backward filters of a bidirectional site, as the original code names them: k_rev[j] is lag -(j + 1). */
export async function bothWays(model: LongConvModel, site: string): Promise<{ fwd: Float32Array; rev: Float32Array }> {
  const { channels, taps } = model.sites.find(({ id }) => id === site)!;
  const fwd = await filterRows(model, site, 0, taps);
  const rev = await filterRows(model, site, taps, 2 * taps);
  for (let c = 0; c < channels; c++) rev.subarray(c * taps, (c + 1) * taps).reverse();
  return { fwd, rev };
}

export interface GoldenRun {
  readonly input: ModelInput;
  readonly batch?: number;
  readonly length: number;
  readonly extra?: ReadonlyMap<string, ModelInput>;
  readonly engine?: Engine;
  readonly onSite?: (event: SiteEvent) => void;
}

/** Values of a model's graph with its own filters: those named, or its output under the name ''. */
export async function runValues(model: LongConvModel, run: GoldenRun, wanted: readonly string[] = ['']): Promise<Map<string, Float32Array>> {
  const { input, length, batch = 1, extra, onSite, engine = referenceEngine } = run;
  const graph = await model.graph();
  const filters = new Map<string, SiteFilter>();
  for (const site of model.sites) filters.set(site.id, await siteFilter(model, site, [], engine, { recausalise: false }));
  const results = new Map<string, Float32Array>();
  for (const name of wanted) {
    const output = name || graph.output;
    const runner = await ModelRunner.create({ graph: withOutput(graph, output), sessions: new OnnxSessions(), engine, filters, maxLength: length });
    try {
      results.set(name, Float32Array.from(await runner.run(input, batch, length, { extra, onSite })));
    } finally {
      await runner.dispose();
    }
  }
  return results;
}

function withOutput(graph: ModelGraph, output: string): ModelGraph {
  const whole = graph.model.graph!;
  return { ...graph, output, model: { ...graph.model, graph: { ...whole, output: [{ name: output, type: tensorType(ElementType.FLOAT) }] } } };
}

/** [rows, columns] to [columns, rows]. */
export function swapped(values: ArrayLike<number>, rows: number, columns: number): Float32Array {
  return Float32Array.from({ length: rows * columns }, (_, i) => values[(i % rows) * columns + Math.floor(i / rows)]);
}
