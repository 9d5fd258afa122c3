import type { Engine } from '../../core/engine/engine';
import type { Site } from '../../core/families/model';
import { lagWeights, ringLagWeights } from '../../core/masks/partial';
import { effectiveGain } from '../../core/masks/symmetry';
import type { ChannelMask } from '../../core/plan/plan';
import type { FrequencySeries, MinMax, SeriesRequest, TimeSeries } from '../../core/protocol/kernel-host';
import { laidOut } from '../../core/plan/ring';
import { decimate } from './decimate';
import type { FilterStore } from './filter-store';

/** One channel's filter. `circular`: a ring, on which index n >= length/2 is lag n - length where the site has negative lags. */
interface MaskedRow { readonly values: Float32Array; readonly circular: boolean }

/** The mask that covers a channel, if any. */
export function maskOfChannel(masks: readonly ChannelMask[] | undefined, channel: number, channels: number): ChannelMask | undefined {
  return masks?.find(({ channels: [first, end] = [0, channels] }) => channel >= first && channel < end);
}

async function maskRow(row: Float32Array, mask: ChannelMask, site: Site, engine: Engine): Promise<MaskedRow> {
  const causal = site.direction === 'causal';
  const { filter, width } = laidOut(row, 1, site, mask.frequency?.grid);
  const frequency = mask.frequency && { fftSize: mask.frequency.grid.fftSize, gain: effectiveGain(mask.frequency) };
  const ring = frequency !== undefined && (mask.partial === undefined || !causal);
  const { masked } = await engine.maskFilter({
    filter, channels: 1, taps: width, frequency,
    lagWeights: mask.partial && (causal ? lagWeights(mask.partial) : ringLagWeights(mask.partial, width)), want: ring ? 'grid' : 'causal',
  });
  return { values: masked!, circular: causal ? ring : site.direction === 'bidirectional' };
}

function valueAtLag({ values, circular }: MaskedRow): (lag: number) => number {
  const n = values.length;
  if (!circular) return (lag) => (lag >= 0 && lag < n ? values[lag] : 0);
  return (lag) => (lag >= 0 ? (lag < n / 2 ? values[lag] : 0) : lag >= -n / 2 ? values[n + lag] : 0);
}

/** Filter over lags of the visible range; negative lags show what a frequency mask leaks into the future. */
export async function timeSeries(store: FilterStore, request: SeriesRequest, engine: Engine): Promise<TimeSeries> {
  const [first, end] = request.range;
  const { site } = store;
  const mask = maskOfChannel(request.masks, request.channel, site.channels);
  const bidirectional = site.direction === 'bidirectional';
  const whole = mask !== undefined || bidirectional;
  const begin = whole ? 0 : Math.min(site.taps, Math.max(0, first));
  const stop = whole ? store.columns : Math.min(site.taps, Math.max(begin, end));
  const row = await store.row(request.channel, begin, stop);
  const at = bidirectional ? valueAtLag({ values: row, circular: true }) : (lag: number): number => row[lag - begin] ?? 0;
  const { x, ...original } = decimate(at, first, end, request.columns);
  if (!mask) return { x, original };
  const masked = valueAtLag(await maskRow(row, mask, site, engine));
  if (site.direction !== 'causal') return { x, original, masked: minMax(masked, first, end, request.columns) };
  return {
    x, original,
    masked: minMax(masked, first, end, request.columns),
    recausalised: minMax((lag) => (lag < 0 ? 0 : masked(lag)), first, end, request.columns),
  };
}

/** Magnitudes |K(f)| over the visible bins of the fftSize-point spectrum. */
export async function frequencySeries(store: FilterStore, request: SeriesRequest & { fftSize: number }, engine: Engine): Promise<FrequencySeries> {
  const [first, end] = request.range;
  const { fftSize } = request;
  const mask = maskOfChannel(request.masks, request.channel, store.site.channels);
  const { site } = store;
  const row = await store.row(request.channel);
  const spectrum = await spectrumOf({ values: row, circular: site.direction === 'bidirectional' }, mask?.frequency?.grid.taps ?? Infinity, fftSize, engine);
  const { x, ...original } = decimate((f) => spectrum[f], first, end, request.columns);
  if (!mask) return { x, original };
  const masked = await spectrumOf(await maskRow(row, mask, site, engine), Infinity, fftSize, engine);
  const gain = mask.frequency && effectiveGain(mask.frequency);
  return {
    x, original, masked: minMax((f) => masked[f], first, end, request.columns),
    gain: gain && gain.length === fftSize / 2 + 1 ? minMax((f) => gain[f], first, end, request.columns) : undefined,
  };
}

/** |FFT_fftSize| of a row: of its first lags, or of as many on both sides of 0, up to `taps` and to what the FFT holds. */
function spectrumOf({ values, circular }: MaskedRow, taps: number, fftSize: number, engine: Engine): Promise<Float32Array> {
  if (!circular) {
    const length = Math.min(values.length, taps, fftSize);
    return engine.spectrum(values.subarray(0, length), length, fftSize);
  }
  const half = Math.min(values.length / 2, taps, fftSize / 2);
  const ring = new Float32Array(fftSize);
  ring.set(values.subarray(0, half));
  ring.set(values.subarray(values.length - half), fftSize - half);
  return engine.spectrum(ring, fftSize, fftSize);
}

function minMax(at: (position: number) => number, first: number, end: number, columns: number): MinMax {
  const { min, max } = decimate(at, first, end, columns);
  return { min, max };
}
