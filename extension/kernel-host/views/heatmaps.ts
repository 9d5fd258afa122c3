import type { Engine } from '../../core/engine/engine';
import { cellOfFrequency, mapDigits } from '../../core/masks/cells';
import { addCellEnergies } from '../../core/masks/energy';
import type { MonarchGrid } from '../../core/plan/plan';
import { laidOut } from '../../core/plan/ring';
import type { Heatmap } from '../../core/protocol/kernel-host';
import { sampleChannels, type FilterStore } from './filter-store';

/** Values this far below the largest are drawn as the floor. */
const FLOOR_DB = -120;
/** Channels whose spectra make the cell map, and bins that are transformed for it at most: enough for a picture, bounded at any size. */
const CELL_MAP_CHANNELS = 64;
const BIN_BUDGET = 1 << 22;

/** Peak |k| over tiles of channels x taps, in dB relative to the largest. */
export async function timeHeatmap(store: FilterStore, rows: number, columns: number): Promise<Heatmap> {
  const { channels } = store.site;
  const height = Math.min(rows, channels);
  const width = Math.min(columns, store.peakColumns);
  const stored = await store.peaks();
  const peaks = new Float64Array(height * width);
  for (let c = 0; c < channels; c++) {
    const r = Math.floor((c * height) / channels);
    for (let p = 0; p < store.peakColumns; p++) {
      const tile = r * width + Math.floor((p * width) / store.peakColumns);
      peaks[tile] = Math.max(peaks[tile], stored[c * store.peakColumns + p]);
    }
  }
  return { rows: height, columns: width, values: decibels(peaks, 20), rowLabel: 'channel', columnLabel: 'lag' };
}

/** Energy of each Monarch cell, summed over sampled channels, in dB: row n1 (the comb row), column np (the band). */
export function cellHeatmap(store: FilterStore, { fftSize, factors, taps }: MonarchGrid, engine: Engine): Promise<Heatmap> {
  return store.keep(`cells ${fftSize} ${factors.join('x')} ${taps}`, () => computeCellHeatmap(store, { fftSize, factors, taps }, engine));
}

async function computeCellHeatmap(store: FilterStore, grid: MonarchGrid, engine: Engine): Promise<Heatmap> {
  const digits = mapDigits(grid);
  const cellOf = cellOfFrequency(grid, digits);
  const rows = grid.factors[0];
  const columns = digits.length > 1 ? grid.factors[digits[1]] : 1;
  const sums = new Float64Array(rows * columns);
  const { site } = store;
  const used = { ...grid, taps: Math.min(grid.taps, site.taps) };
  for (const channel of sampleChannels(site.channels, Math.min(CELL_MAP_CHANNELS, Math.max(1, Math.floor(BIN_BUDGET / grid.fftSize))))) {
    const { filter, width } = laidOut(await store.row(channel), 1, site, used);
    addCellEnergies(sums, await engine.spectrum(filter, width, grid.fftSize), cellOf);
  }
  const energies = new Float64Array(sums.length);
  for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) energies[r * columns + c] = sums[r + rows * c];
  return { rows, columns, values: decibels(energies, 10), rowLabel: 'n1 (frequency mod N1)', columnLabel: 'band' };
}

function decibels(values: Float64Array, factor: 10 | 20): Float32Array {
  const largest = values.reduce((a, b) => Math.max(a, b), 0);
  return Float32Array.from(values, (value) => (value > 0 ? Math.max(FLOOR_DB, factor * Math.log10(value / largest)) : FLOOR_DB));
}
