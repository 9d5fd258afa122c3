import type { Engine, MaskedFilter, SpectrumPart } from '../../core/engine/engine';
import { lagWeights, ringLagWeights } from '../../core/masks/partial';
import { effectiveGain } from '../../core/masks/symmetry';
import type { ChannelMask } from '../../core/plan/plan';
import type { FrequencySeries, MinMax, SeriesRequest, TimeSeries } from '../../core/protocol/kernel-host';
import { laidOut } from '../../core/plan/ring';
import { decimate } from './decimate';
import type { Decimated, Positions } from './decimate';
import type { FilterStore } from './filter-store';

/** One channel's filter. `circular`: a ring, on which index n >= length/2 is lag n - length where the site has negative lags. */
interface PlainRow { readonly values: Float32Array; readonly circular: boolean }
interface MaskedRow extends PlainRow { readonly measures: Omit<MaskedFilter, 'masked'> }

/** The mask that covers a channel, if any. */
export function maskOfChannel(masks: readonly ChannelMask[] | undefined, channel: number, channels: number): ChannelMask | undefined {
  return masks?.find(({ channels: [first, end] = [0, channels] }) => channel >= first && channel < end);
}

/**
 * A channel's row under its mask, with the measures of what the mask did. Kept for a moment: both plots, and the figures of very long filters, ask for
 * the same one.
 */
export function maskedRow(store: FilterStore, channel: number, mask: ChannelMask, engine: Engine): Promise<MaskedRow> {
  return store.keep(`masked ${channel} ${JSON.stringify([mask.frequency, mask.partial])}`, () => maskRow(store, channel, mask, engine));
}

async function maskRow(store: FilterStore, channel: number, mask: ChannelMask, engine: Engine): Promise<MaskedRow> {
  const { site } = store;
  const causal = site.direction === 'causal';
  const grid = mask.frequency?.grid;
  // A drag changes neither the channel nor the grid.
  const { filter, width } = await store.keep(`row ${channel} ${grid?.fftSize} ${grid?.taps}`, async () => laidOut(await store.row(channel), 1, site, grid));
  const frequency = mask.frequency && { fftSize: mask.frequency.grid.fftSize, gain: effectiveGain(mask.frequency) };
  const ring = frequency !== undefined && (mask.partial === undefined || !causal);
  const { masked, ...measures } = await engine.maskFilter({
    filter, channels: 1, taps: width, frequency,
    lagWeights: mask.partial && (causal ? lagWeights(mask.partial) : ringLagWeights(mask.partial, width)), want: ring ? 'grid' : 'causal',
  });
  return { values: masked!, circular: causal ? ring : site.direction === 'bidirectional', measures };
}

const atLags = ({ values, circular }: PlainRow): Positions => ({ values, ring: circular });

/** Filter over lags of the visible range; negative lags show what a frequency mask leaks into the future. */
export async function timeSeries(store: FilterStore, request: SeriesRequest, engine: Engine): Promise<TimeSeries> {
  const [first, end] = request.range;
  const { site } = store;
  const mask = maskOfChannel(request.masks, request.channel, site.channels);
  // A drag changes neither the channel nor what is visible of it.
  const { x, ...original } = await store.keep(`lags ${request.channel} ${first} ${end} ${request.columns}`, () => visibleLags(store, request));
  if (!mask) return { x, original };
  const row = await maskedRow(store, request.channel, mask, engine);
  const masked = minMax(atLags(row), first, end, request.columns);
  if (site.direction !== 'causal') return { x, original, masked };
  // Only negative lags tell the re-causalised filter from the masked one.
  const causal: Positions = { values: row.circular ? row.values.subarray(0, row.values.length / 2) : row.values };
  return { x, original, masked, recausalised: first >= 0 ? masked : minMax(causal, first, end, request.columns) };
}

async function visibleLags(store: FilterStore, { channel, range: [first, end], columns }: SeriesRequest): Promise<Decimated> {
  if (store.site.direction === 'bidirectional') return decimate({ values: await store.row(channel), ring: true }, first, end, columns);
  const begin = Math.min(store.site.taps, Math.max(0, first));
  return decimate({ values: await store.row(channel, begin, Math.min(store.site.taps, Math.max(begin, end))), first: begin }, first, end, columns);
}

/** Magnitudes |K(f)| over the visible bins of the fftSize-point spectrum. */
export async function frequencySeries(store: FilterStore, request: SeriesRequest & { fftSize: number }, engine: Engine): Promise<FrequencySeries> {
  const [first, end] = request.range;
  const { fftSize, channel } = request;
  const { site } = store;
  const mask = maskOfChannel(request.masks, channel, site.channels);
  const taps = mask?.frequency?.grid.taps ?? Infinity;
  const dense = async (): Promise<PlainRow> => ({ values: await store.row(channel), circular: site.direction === 'bidirectional' });
  // A drag changes neither the channel, nor its own spectrum, nor what is visible of it.
  const spectrum = await store.keep(`spectrum ${channel} ${taps} ${fftSize}`, async () => spectrumOf(await dense(), taps, fftSize, engine));
  const { x, ...original } = await store.keep(`bins ${channel} ${taps} ${fftSize} ${first} ${end} ${request.columns}`, async () => decimate({ values: spectrum }, first, end, request.columns));
  const phase = request.phase
    ? await store.keep(`phase ${channel} ${taps} ${fftSize} ${first} ${end} ${x.length}`, async () => {
      const phases = await spectrumOf(await dense(), taps, fftSize, engine, 'phase');
      return Float32Array.from(x, (bin) => phases[bin]);
    }) : undefined;
  if (!mask) return { x, original, phase };
  const gain = mask.frequency && effectiveGain(mask.frequency);
  const onAxis = gain?.length === spectrum.length;
  // On the mask's own grid the masked spectrum is the product with the gain; a cut in time or another grid needs a transform.
  const masked = onAxis && !mask.partial ? product(spectrum, gain)
    : await spectrumOf(await maskedRow(store, channel, mask, engine), Infinity, fftSize, engine);
  return {
    x, original, phase, masked: minMax({ values: masked }, first, end, request.columns),
    gain: onAxis ? minMax({ values: gain }, first, end, request.columns) : undefined,
  };
}

function product(magnitudes: Float32Array, gain: ArrayLike<number>): Float32Array {
  const out = new Float32Array(magnitudes.length);
  for (let f = 0; f < out.length; f++) out[f] = magnitudes[f] * gain[f];
  return out;
}

/** |FFT_fftSize| of a row, or its phase. */
function spectrumOf(row: PlainRow, taps: number, fftSize: number, engine: Engine, part?: SpectrumPart): Promise<Float32Array> {
  const values = onGrid(row, taps, fftSize);
  return engine.spectrum(values, values.length, fftSize, part);
}

/** What of a row enters an FFT: its first lags, or as many on both sides of 0, up to `taps` and to what the FFT holds. */
function onGrid({ values, circular }: PlainRow, taps: number, fftSize: number): Float32Array {
  if (!circular) return values.subarray(0, Math.min(values.length, taps, fftSize));
  const half = Math.min(values.length / 2, taps, fftSize / 2);
  const ring = new Float32Array(fftSize);
  ring.set(values.subarray(0, half));
  ring.set(values.subarray(values.length - half), fftSize - half);
  return ring;
}

function minMax(row: Positions, first: number, end: number, columns: number): MinMax {
  const { min, max } = decimate(row, first, end, columns);
  return { min, max };
}
