import * as path from 'node:path';
import type { Site } from '../../../../extension/core/families/model';
import { buildHyenaDnaGraph } from '../../../../extension/core/families/hyenadna/graph';
import { findLayout, type GeneratorNames, type HyenaDnaNetwork } from '../../../../extension/core/families/hyenadna/layout';
import { openSafetensors } from '../../../../extension/core/formats/safetensors/read';
import type { TensorFile } from '../../../../extension/core/formats/tensor-file';
import type { ModelGraph } from '../../../../extension/core/graph/model-graph';
import type { FilterPart, SiteFilter } from '../../../../extension/core/plan/site-filter';
import { referenceEngine } from './reference-engine';

const FIXTURES = path.join(__dirname, '../../../fixtures');
export const SAMPLE = path.join(FIXTURES, 'samples/hyenadna-tiny-1k-ecoli');
export const GOLDEN = path.join(FIXTURES, 'golden');

export interface TinyModel {
  readonly network: HyenaDnaNetwork;
  readonly graph: ModelGraph;
  /** By site: [d, maxLength], from the formulas in float64. */
  readonly rows: ReadonlyMap<string, Float32Array>;
}

/** A HyenaDNA model straight from its tensors, with filters made by the reference engine. */
export async function openTinyModel(file: string, shift: number): Promise<TinyModel> {
  const tensors = await openSafetensors(file);
  try {
    const layout = findLayout(tensors.tensors)!;
    const shape = (name: string): readonly number[] => tensors.tensors.get(name)!.shape;
    const [vocabularySize, dModel] = shape(layout.embedding);
    const network: HyenaDnaNetwork = {
      dModel, vocabularySize, inner: shape(layout.layers[0].fc1.bias)[0], shortFilterTaps: shape(layout.layers[0].shortFilter.weight)[2],
      maxLength: shape(layout.generators[0]!.t!)[1], blockNormEps: 1e-5, finalNormEps: 1e-5,
      embedding: layout.embedding, layers: layout.layers, finalNorm: layout.finalNorm, head: layout.heads[0],
    };
    const rows = new Map<string, Float32Array>();
    for (const [index, { sites: [site] }] of layout.layers.entries()) rows.set(site, await filterRows(tensors, layout.generators[index]!, shift));
    return { network, graph: await buildHyenaDnaGraph(network, tensors), rows };
  } finally {
    await tensors.close();
  }
}

async function filterRows(file: TensorFile, names: GeneratorNames, shift: number): Promise<Float32Array> {
  const layers = [];
  for (const { weight, bias } of names.hidden) layers.push({ weight: await file.readFloat32(weight), bias: await file.readFloat32(bias) });
  return referenceEngine.sirenFilter({
    z: await file.readFloat32(names.z!), t: await file.readFloat32(names.t!), features: file.tensors.get(names.z!)!.shape[2], layers,
    freq: await file.readFloat32(names.freq[0]), output: await file.readFloat32(names.output),
    window: { deltas: await file.readFloat32(names.deltas!), shift },
  });
}

export function siteOf(id: string, channels: number, taps: number): Site {
  return { id, layer: 0, channels, taps, direction: 'causal', storage: 'implicit', writeBack: [], filterTensors: [] };
}

/** Of the measures only `keptTaps` matters to running and exporting. */
export function siteFilter(site: Site, parts: readonly FilterPart[], keptTaps = 1): SiteFilter {
  return { site, parts, measures: { filterError: 0, leak: 0, keptBins: 1, keptTaps } };
}

/** One causal part with the first `taps` taps of rows [channels, site.taps]. */
export function causalFilter(site: Site, rows: Float32Array, taps = site.taps): SiteFilter {
  const cut = new Float32Array(site.channels * taps);
  for (let c = 0; c < site.channels; c++) cut.set(rows.subarray(c * site.taps, c * site.taps + taps), c * taps);
  return siteFilter(site, [{ channels: [0, site.channels], masked: taps < site.taps, mode: 'causal', filterLength: taps, rows: cut }], taps / site.taps);
}

export function denseFilters({ network, rows }: TinyModel, taps = network.maxLength): Map<string, SiteFilter> {
  return new Map([...rows].map(([id, k]) => [id, causalFilter(siteOf(id, network.dModel, network.maxLength), k, taps)]));
}

/** All tensors of a file by name, integers as floats too. */
export async function readTensors(file: string): Promise<(name: string) => Float32Array> {
  const tensors = await openSafetensors(file);
  try {
    const all = new Map<string, Float32Array>();
    for (const [name, { dtype }] of tensors.tensors) {
      const integers = async (): Promise<Int32Array> => new Int32Array(Uint8Array.from(await tensors.readBytes(name)).buffer);
      all.set(name, dtype === 'I32' ? Float32Array.from(await integers()) : await tensors.readFloat32(name));
    }
    return (name) => all.get(name)!;
  } finally {
    await tensors.close();
  }
}
