import * as assert from 'node:assert/strict';
import type { Engine } from '../../../extension/core/engine/engine';
import type { LongConvModel } from '../../../extension/core/families/model';
import { filterColumns } from '../../../extension/core/families/site-shape';
import { ElementType, tensorType } from '../../../extension/core/graph/builder';
import type { ModelGraph } from '../../../extension/core/graph/model-graph';
import { inputTensors } from '../../../extension/core/graph/inputs';
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
  readonly filters?: ReadonlyMap<string, SiteFilter>;
  readonly onSite?: (event: SiteEvent) => void;
}

/** The input of a golden run: tokens (with their types), or the rows of its signal in the order that the model takes. */
export function goldenInput(expected: Expected, name: string): Pick<GoldenRun, 'input' | 'length' | 'extra'> {
  if (expected.has(`${name}.input_ids`)) {
    const input = expected.ids(`${name}.input_ids`);
    const types = `${name}.token_type_ids`;
    return { input, length: input.length, extra: expected.has(types) ? new Map([['token_type_ids', expected.ids(types)]]) : undefined };
  }
  // u [H, length], input [length, channels].
  const stored = expected.has(`${name}.u`) ? `${name}.u` : `${name}.input`;
  const [rows, columns] = expected.shape(stored);
  return { input: Float32Array.from(expected.get(stored).values), length: stored.endsWith('.u') ? columns : rows };
}

/** Values of a model's graph with its own filters, or with those of `run`: the values named, or its output under the name ''. */
export async function runValues(model: LongConvModel, run: GoldenRun, wanted: readonly string[] = ['']): Promise<Map<string, Float32Array>> {
  const { input, length, batch = 1, extra, onSite, engine = referenceEngine } = run;
  const graph = await model.graph();
  const filters = run.filters ?? (await ownFilters(model, engine));
  const names = wanted.map((name) => name || graph.output);
  const runner = await ModelRunner.create({ graph: withOutputs(graph, names), sessions: new OnnxSessions(), engine, filters, maxLength: length });
  try {
    const values = await runner.runFeeds(inputTensors(graph, input, batch, length, extra), names, { onSite });
    return new Map(wanted.map((name, i) => [name, Float32Array.from(values.get(names[i])!.data as Float32Array)]));
  } finally {
    await runner.dispose();
  }
}

async function ownFilters(model: LongConvModel, engine: Engine): Promise<Map<string, SiteFilter>> {
  const filters = new Map<string, SiteFilter>();
  for (const site of model.sites) filters.set(site.id, await siteFilter(model, site, [], engine, { recausalise: false }));
  return filters;
}

function withOutputs(graph: ModelGraph, names: readonly string[]): ModelGraph {
  const output = [...new Set(names)].map((name) => ({ name, type: tensorType(ElementType.FLOAT) }));
  return { ...graph, model: { ...graph.model, graph: { ...graph.model.graph!, output } } };
}

/** [rows, columns] to [columns, rows]. */
export function swapped(values: ArrayLike<number>, rows: number, columns: number): Float32Array {
  return Float32Array.from({ length: rows * columns }, (_, i) => values[(i % rows) * columns + Math.floor(i / rows)]);
}
