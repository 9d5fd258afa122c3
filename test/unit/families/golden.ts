import * as assert from 'node:assert/strict';
import * as path from 'node:path';
import type { LongConvModel, OptionOverrides } from '../../../extension/core/families/model';
import { openModel } from '../../../extension/core/families/registry';
import { openSafetensors } from '../../../extension/core/formats/safetensors/read';
import type { ModelInput, SiteEvent } from '../../../extension/core/graph/runtime';
import { referenceEngine } from '../graph/support/reference-engine';
import { relativeError } from '../graph/support/measure';
import { fixture } from '../support/files';
import { runValues } from './golden-runs';

export const GOLDEN = (name: string): string => fixture(`golden/${name}`);

/** The expected values of a golden case: those of the original code in float64 where it has them, else in float32. */
export class Expected {
  private constructor(private readonly exact: ReadonlyMap<string, Stored>, private readonly single: ReadonlyMap<string, Stored>) {}

  static async read(name: string): Promise<Expected> {
    return new Expected(await allTensors(path.join(GOLDEN(name), 'expected_f64.safetensors')), await allTensors(path.join(GOLDEN(name), 'expected.safetensors')));
  }

  /** Names of all stored tensors that match. */
  names(pattern: RegExp): string[] {
    return [...new Set([...this.single.keys(), ...this.exact.keys()])].filter((name) => pattern.test(name));
  }

  get(name: string): { readonly values: Float64Array; readonly exact: boolean } {
    return { values: this.stored(name).values, exact: this.exact.has(name) };
  }

  shape(name: string): readonly number[] {
    return this.stored(name).shape;
  }

  has(name: string): boolean {
    return this.exact.has(name) || this.single.has(name);
  }

  ids(name: string): Int32Array {
    return Int32Array.from(this.get(name).values);
  }

  private stored(name: string): Stored {
    const found = this.exact.get(name) ?? this.single.get(name);
    assert.ok(found, `the golden case has no ${name}`);
    return found;
  }
}

interface Stored { readonly values: Float64Array; readonly shape: readonly number[] }

async function allTensors(file: string): Promise<Map<string, Stored>> {
  const tensors = await openSafetensors(file);
  try {
    const all = new Map<string, Stored>();
    for (const [name, { dtype, shape }] of tensors.tensors) {
      const buffer = Uint8Array.from(await tensors.readBytes(name)).buffer;
      const values = dtype === 'I32' ? Float64Array.from(new Int32Array(buffer)) : dtype === 'F64' ? new Float64Array(buffer) : Float64Array.from(new Float32Array(buffer));
      all.set(name, { values, shape });
    }
    return all;
  } finally {
    await tensors.close();
  }
}

/**
 * A site's filter, 0 beyond the taps of a finite one, equals a golden tensor to 1e-5; where that was stored in float32 alone, to 1e-5 plus five times
 * the noise of the original float32 run (golden README).
 */
export async function assertFilter(model: LongConvModel, site: string, expected: Expected, tensor: string, noise = 0): Promise<void> {
  const { values, exact } = expected.get(tensor);
  const { channels, taps, finite } = model.sites.find(({ id }) => id === site)!;
  const wanted = values.length / channels;
  const stored = finite ? Math.min(taps, wanted) : wanted;
  const rows = await model.filter(site, { channels: [0, channels], taps: [0, stored] }, referenceEngine);
  const actual = new Float32Array(values.length);
  for (let c = 0; c < channels; c++) actual.set(rows.subarray(c * stored, (c + 1) * stored), c * wanted);
  const error = relativeError(actual, values);
  const tolerance = exact ? 1e-5 : 1e-5 + 5 * noise;
  assert.ok(error <= tolerance, `${tensor}: relative error ${error.toExponential(2)} > ${tolerance}`);
}

/** Runs an open model with its own filters up to the values named (graph outputs by default), and hands out what the sites saw. */
export async function runModel(
  model: LongConvModel, input: ModelInput, length: number, wanted?: readonly string[], onSite?: (event: SiteEvent) => void,
): Promise<Map<string, Float32Array>> {
  return runValues(model, { input, length, onSite }, wanted ?? ['']);
}

export async function withModel(name: string, options: OptionOverrides | undefined, use: (model: LongConvModel) => Promise<void>): Promise<void> {
  const model = await openModel(GOLDEN(name), options);
  try {
    await use(model);
  } finally {
    await model.close();
  }
}

/** Hidden states, final norm and logits of a token model on a golden input, to 1e-4. `noise` as in assertFilter. */
export async function assertRun(model: LongConvModel, expected: Expected, input: 'full' | 'short', noise = 0): Promise<void> {
  const ids = expected.ids(`${input}.input_ids`);
  const names = expected.names(new RegExp(`^${input}\\.(hidden\\.\\d+|final_norm|logits)$`));
  assert.ok(names.length >= 3);
  const graphNames = names.map((name) => name.slice(input.length + 1));
  const results = await runModel(model, ids, ids.length, graphNames);
  for (const [i, name] of names.entries()) {
    const { values, exact } = expected.get(name);
    const error = relativeError(results.get(graphNames[i])!, values);
    const tolerance = exact ? 1e-4 : 1e-4 + 5 * noise;
    assert.ok(error <= tolerance, `${name}: relative error ${error.toExponential(2)} > ${tolerance}`);
  }
}
