import { filterColumns } from '../site-shape';
import { channelRows, effectiveSpectrum, numbersOf } from './effective-spectrum';
import { type Dft, isDft, readDft } from './attributes';
import type { ModelValues } from './model-values';
import { cutElement, type OnnxSite } from './site';
import { inverseReal } from './spectrum';

/** The whole filter of a site [channels, columns] float32 (see filterColumns): what the file stores, or what ONNX Runtime computes from it. */
export async function materialise(values: ModelValues, site: OnnxSite): Promise<Float32Array> {
  return site.cut.form === 'taps' ? fromTaps(values, site) : fromSpectrum(values, site);
}

async function fromTaps(values: ModelValues, site: OnnxSite): Promise<Float32Array> {
  const { cut, channels } = site;
  const stored = numbersOf((await values.evaluate([cut.value])).get(cut.value)!);
  values.forget(cut.value);
  return rowsOf(site, (h, element) => stored[cutIndex(cut, h, element)], channels);
}

/** Where element j of channel h lies in the cut. */
export function cutIndex({ inner, size }: OnnxSite['cut'], h: number, element: number): number {
  return (Math.floor(h / inner) * size + element) * inner + (h % inner);
}

/** k is the inverse transform of the spectrum that acts, in float64. */
async function fromSpectrum(values: ModelValues, site: OnnxSite): Promise<Float32Array> {
  const [forward, inverse] = await transformsOf(values, site);
  const spectrum = await effectiveSpectrum(values, forward, inverse);
  if (typeof spectrum === 'string') throw new Error(`The spectrum of ${site.id} ${spectrum}, which it did not when the model was opened.`);
  const { data, dims, axis, half, size } = spectrum;
  const pairs = channelRows(data, dims, axis, half, site.u.channelAxes);
  let ring: Float64Array = new Float64Array(0);
  let channel = -1;
  return rowsOf(site, (h, element) => {
    if (h !== channel) {
      ring = inverseReal(pairs.subarray(h * 2 * half, (h + 1) * 2 * half), size);
      channel = h;
    }
    return ring[element];
  }, site.channels);
}

/** The transform of the signal and its inverse. */
async function transformsOf(values: ModelValues, { nodes, id }: OnnxSite): Promise<readonly [Dft, Dft]> {
  const read = await Promise.all(nodes.filter((node) => isDft(node)).map((node) => readDft(values.view, values, node)));
  const forward = read.find((dft) => dft && !dft.inverse);
  const inverse = read.find((dft) => dft?.inverse);
  if (!forward || !inverse) throw new Error(`The transforms of ${id} are not there.`);
  return [forward, inverse];
}

/** Rows as Site.direction says, from the elements of the cut; lags that it does not have are 0. */
function rowsOf(site: OnnxSite, element: (h: number, index: number) => number, channels: number): Float32Array {
  const columns = filterColumns(site);
  const rows = new Float32Array(channels * columns);
  for (let h = 0; h < channels; h++) {
    for (let column = 0; column < columns; column++) {
      const index = cutElement(site, column);
      if (index >= 0) rows[h * columns + column] = element(h, index);
    }
  }
  return rows;
}
