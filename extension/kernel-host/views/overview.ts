import type { Engine } from '../../core/engine/engine';
import { powerOfTwoAtLeast } from '../../core/masks/grid';
import type { SiteOverview } from '../../core/protocol/kernel-host';
import { sampleChannels, type FilterStore } from './filter-store';

/** Channels that a small picture is the mean of, and filter values that are transformed for it at most. */
const CHANNELS = 16;
const VALUE_BUDGET = 1 << 22;
const FLOOR_DB = -80;

/** A site at a glance: its filters' mean energy over lags and over frequencies 0 to 1/2, each in at most `columns` columns, in dB of the largest. */
export async function siteOverview(store: FilterStore, columns: number, engine: Engine): Promise<SiteOverview> {
  const { channels, taps } = store.site;
  const sampled = sampleChannels(channels, Math.min(CHANNELS, Math.max(1, Math.floor(VALUE_BUDGET / taps))));
  const fftSize = 2 * powerOfTwoAtLeast(taps);
  const time = new Float64Array(Math.min(columns, taps));
  const frequency = new Float64Array(Math.min(columns, fftSize / 2 + 1));
  for (const channel of sampled) {
    const row = await store.row(channel);
    addEnergy(time, row);
    addEnergy(frequency, await engine.spectrum(row, taps, fftSize));
  }
  return { time: decibels(time), frequency: decibels(frequency), channels: sampled.length };
}

/** Adds the mean square of each column's values. */
function addEnergy(sums: Float64Array, values: Float32Array): void {
  for (let c = 0; c < sums.length; c++) {
    const begin = Math.floor((c * values.length) / sums.length);
    const end = Math.floor(((c + 1) * values.length) / sums.length);
    let sum = 0;
    for (let i = begin; i < end; i++) sum += values[i] * values[i];
    sums[c] += sum / (end - begin);
  }
}

function decibels(energies: Float64Array): Float32Array {
  const largest = energies.reduce((a, b) => Math.max(a, b), 0);
  return Float32Array.from(energies, (value) => (value > 0 ? Math.max(FLOOR_DB, 10 * Math.log10(value / largest)) : FLOOR_DB));
}
