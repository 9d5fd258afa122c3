import type { Engine } from '../../core/engine/engine';
import { lagWeights } from '../../core/masks/partial';
import { effectiveGain } from '../../core/masks/symmetry';
import type { ChannelMask } from '../../core/plan/plan';
import type { FrequencySeries, MinMax, SeriesRequest, TimeSeries } from '../../core/protocol/kernel-host';
import { decimate } from './decimate';
import type { FilterStore } from './filter-store';
import { phaseAt } from './phase';

/** One channel's filter after its mask. `circular`: index n >= length/2 is lag n - length. */
interface MaskedRow { readonly values: Float32Array; readonly circular: boolean }

/** The mask that covers a channel, if any. */
export function maskOfChannel(masks: readonly ChannelMask[] | undefined, channel: number, channels: number): ChannelMask | undefined {
  return masks?.find(({ channels: [first, end] = [0, channels] }) => channel >= first && channel < end);
}

async function maskRow(row: Float32Array, mask: ChannelMask, engine: Engine): Promise<MaskedRow> {
  const taps = mask.frequency ? Math.min(mask.frequency.grid.taps, row.length) : row.length;
  const frequency = mask.frequency && { fftSize: mask.frequency.grid.fftSize, gain: effectiveGain(mask.frequency) };
  const circular = frequency !== undefined && mask.partial === undefined;
  const { masked } = await engine.maskFilter({
    filter: row.subarray(0, taps), channels: 1, taps, frequency,
    lagWeights: mask.partial && lagWeights(mask.partial), want: circular ? 'grid' : 'causal',
  });
  return { values: masked!, circular };
}

function valueAtLag({ values, circular }: MaskedRow): (lag: number) => number {
  const n = values.length;
  if (!circular) return (lag) => (lag >= 0 && lag < n ? values[lag] : 0);
  return (lag) => (lag >= 0 ? (lag < n / 2 ? values[lag] : 0) : lag >= -n / 2 ? values[n + lag] : 0);
}

/** Filter over lags of the visible range; negative lags show what a frequency mask leaks into the future. */
export async function timeSeries(store: FilterStore, request: SeriesRequest, engine: Engine): Promise<TimeSeries> {
  const [first, end] = request.range;
  const { taps, channels } = store.site;
  const mask = maskOfChannel(request.masks, request.channel, channels);
  const begin = Math.min(taps, Math.max(0, first));
  const stop = Math.min(taps, Math.max(begin, end));
  const row = await (mask ? store.row(request.channel) : store.row(request.channel, begin, stop));
  const offset = mask ? 0 : begin;
  const { x, ...original } = decimate((lag) => (lag >= 0 && lag < taps ? row[lag - offset] : 0), first, end, request.columns);
  if (!mask) return { x, original };
  const masked = valueAtLag(await maskRow(row, mask, engine));
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
  const row = await store.row(request.channel);
  const taps = Math.min(row.length, mask?.frequency?.grid.taps ?? fftSize);
  const spectrum = await engine.spectrum(row.subarray(0, taps), taps, fftSize);
  const { x, ...original } = decimate((f) => spectrum[f], first, end, request.columns);
  const phase = request.phase ? phaseAt(row.subarray(0, taps), x, fftSize) : undefined;
  if (!mask) return { x, original, phase };
  const { values } = await maskRow(row, mask, engine);
  const length = Math.min(values.length, fftSize);
  const masked = await engine.spectrum(values.subarray(0, length), length, fftSize);
  const gain = mask.frequency && effectiveGain(mask.frequency);
  return {
    x, original, phase, masked: minMax((f) => masked[f], first, end, request.columns),
    gain: gain && gain.length === fftSize / 2 + 1 ? minMax((f) => gain[f], first, end, request.columns) : undefined,
  };
}

function minMax(at: (position: number) => number, first: number, end: number, columns: number): MinMax {
  const { min, max } = decimate(at, first, end, columns);
  return { min, max };
}
