import { cutIndex } from '../../families/onnx/filter';
import type { OnnxModel } from '../../families/onnx/model';
import { cutElement, type OnnxSite } from '../../families/onnx/site';
import { forwardReal } from '../../families/onnx/spectrum';
import { filterColumns } from '../../families/site-shape';
import type { SiteFilter } from '../../plan/site-filter';
import { TensorEditor } from './filter-values';
import { circularKernel, lagKernel, takesAnyLength } from './site-kernel';

/** What stands in for a site's cut once its filter is changed. */
export interface CutValues {
  /** In the cut's own element type and order. */
  readonly bytes: Uint8Array;
  readonly type: number;
  /** What the element type rounds away; 0 for float32. */
  readonly roundingError: number;
}

/**
 * The changed filter in the form in which the graph holds it; undefined where that form has no room for it: negative lags in a causal
 * filter, or a spectrum that is not one tensor. Channels that are not changed keep every bit.
 */
export async function cutValues(model: OnnxModel, site: OnnxSite, filter: SiteFilter): Promise<CutValues | undefined> {
  if (site.cut.value === '') return undefined;
  const lag = lagValues(site, filter);
  const { bytes, type } = await model.cutBytes(site);
  const editor = new TensorEditor(type, Uint8Array.from(bytes));
  const original = await model.wholeFilter(site);
  const columns = filterColumns(site);
  for (let h = 0; h < site.channels; h++) {
    const row = new Float32Array(columns);
    for (let column = 0; column < columns; column++) row[column] = lag.at(h, lagOf(site, column));
    if (!lag.fits(h, (at) => columnOf(site, at) >= 0)) return undefined;
    if (sameBits(row, original.subarray(h * columns, (h + 1) * columns))) continue;
    if (site.cut.form === 'spectrum') setSpectrum(editor, site, h, row);
    else setTaps(editor, site, h, row);
  }
  return { bytes: editor.bytes, type, roundingError: editor.roundingError };
}

interface Lags {
  at(h: number, lag: number): number;
  /** Whether every lag that is not 0 has a place. */
  fits(h: number, hasPlace: (lag: number) => boolean): boolean;
}

function lagValues(site: OnnxSite, filter: SiteFilter): Lags {
  const { u, tail, direction, taps } = site;
  const samples = u.dims[u.timeAxis] + tail;
  if (direction === 'circular') {
    // On its own ring every lag has a place.
    const part = filter.parts.find(({ mode }) => mode === 'circular');
    const ring = part ? taps : samples;
    const { rows, fftSize } = circularKernel(filter, ring);
    return { at: (h, lag) => rows[h * fftSize + lag], fits: () => true };
  }
  const { future, past, rows } = lagKernel(filter, takesAnyLength(filter) ? Infinity : samples);
  const width = future + past + 1;
  return {
    at: (h, lag) => (lag < -future || lag > past ? 0 : rows[h * width + future + lag]),
    fits: (h, hasPlace) => {
      for (let i = 0; i < width; i++) if (rows[h * width + i] !== 0 && !hasPlace(i - future)) return false;
      return true;
    },
  };
}

const lagOf = ({ direction, taps }: OnnxSite, column: number): number => (direction === 'bidirectional' && column >= taps ? column - 2 * taps : column);

/** Column of a lag, or -1 where the cut has no element for it. */
function columnOf(site: OnnxSite, lag: number): number {
  const columns = filterColumns(site);
  const column = lag >= 0 ? lag : site.direction === 'bidirectional' ? columns + lag : -1;
  return column >= 0 && column < columns && (site.direction !== 'bidirectional' || Math.abs(lag) < site.taps) && cutElement(site, column) >= 0 ? column : -1;
}

function setTaps(editor: TensorEditor, site: OnnxSite, h: number, row: Float32Array): void {
  row.forEach((value, column) => {
    const element = cutElement(site, column);
    if (element >= 0) editor.set(cutIndex(site.cut, h, element), value);
  });
}

/** The transform of the row, in float64, over what the graph multiplies by. */
function setSpectrum(editor: TensorEditor, site: OnnxSite, h: number, row: Float32Array): void {
  const { cut, fftSize } = site;
  const size = fftSize!;
  const ring = new Float64Array(size);
  row.forEach((value, column) => {
    const element = cutElement(site, column);
    if (element >= 0) ring[element] = value;
  });
  const pairs = forwardReal(ring, size);
  for (let bin = 0; bin < cut.size; bin++) {
    const mirrored = 2 * bin > size;
    const from = 2 * (mirrored ? size - bin : bin);
    const at = 2 * cutIndex(cut, h, bin);
    editor.set(at, pairs[from] / cut.factor);
    editor.set(at + 1, (mirrored ? -1 : 1) * (pairs[from + 1] / cut.factor));
  }
}

function sameBits(a: Float32Array, b: Float32Array): boolean {
  return a.every((value, i) => Object.is(value, b[i]));
}
