import { float16ToFloat32 } from '../../formats/float16';
import { channelRows, effectiveSpectrum } from './effective-spectrum';
import { readDft } from './attributes';
import type { ModelValues } from './model-values';
import type { OnnxSite } from './site';
import { inverseReal } from './spectrum';

/** The whole filter of a site [channels, taps] float32: what the file stores, or what ONNX Runtime computes from it. */
export async function materialise(values: ModelValues, site: OnnxSite): Promise<Float32Array> {
  return site.cut.form === 'taps' ? fromTaps(values, site) : fromSpectrum(values, site);
}

async function fromTaps(values: ModelValues, { cut, channels, taps }: OnnxSite): Promise<Float32Array> {
  const { data, type } = (await values.evaluate([cut.value])).get(cut.value)!;
  values.forget(cut.value);
  const stored = type === 'float16' ? Float32Array.from(data as Uint16Array, float16ToFloat32) : (data as ArrayLike<number>);
  const rows = new Float32Array(channels * taps);
  for (let h = 0; h < channels; h++) {
    for (let j = 0; j < taps; j++) rows[h * taps + j] = stored[cutIndex(cut, h, j)];
  }
  return rows;
}

/** Where tap j of channel h lies in the cut's elements. */
export function cutIndex({ inner, size, reversed }: OnnxSite['cut'], h: number, j: number): number {
  const outer = Math.floor(h / inner);
  return (outer * size + (reversed ? size - 1 - j : j)) * inner + (h % inner);
}

/** k is the inverse transform of the spectrum that acts, in float64. */
async function fromSpectrum(values: ModelValues, site: OnnxSite): Promise<Float32Array> {
  const { channels, taps } = site;
  const [forwardNode, inverseNode] = [site.nodes.find(({ op, attributes }) => op === 'DFT' && !attributes.get('inverse')?.int)!, site.nodes.find(({ op, attributes }) => op === 'DFT' && attributes.get('inverse')?.int)!];
  const forward = (await readDft(values.view, values, forwardNode))!;
  const inverse = (await readDft(values.view, values, inverseNode))!;
  const spectrum = await effectiveSpectrum(values, forward, inverse);
  if (typeof spectrum === 'string') throw new Error(`The spectrum of ${site.id} ${spectrum}, which it did not when the model was opened.`);
  const { data, dims, axis, half, size } = spectrum;
  const pairs = channelRows(data, dims, axis, half, site.u.channelAxes);
  const rows = new Float32Array(channels * taps);
  for (let h = 0; h < channels; h++) {
    rows.set(inverseReal(pairs.subarray(h * 2 * half, (h + 1) * 2 * half), size).subarray(0, taps), h * taps);
  }
  return rows;
}

