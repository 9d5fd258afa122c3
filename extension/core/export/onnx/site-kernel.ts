import { UserError } from '../../errors';
import { powerOfTwoAtLeast } from '../../masks/grid';
import { longestInput, onlyLength } from '../../plan/longest-input';
import type { FilterPart, SiteFilter } from '../../plan/site-filter';
import { fftSizeFor } from '../../graph/long-conv-op';
import { forwardReal } from '../../families/onnx/spectrum';

/**
 * A site's filter in one form for all its channels, whatever forms its parts have. Both forms give the site's output exactly (but for
 * rounding) for every input of up to the export's length.
 */
export interface LagKernel {
  /** Lags -future .. past; rows are [channels, future + past + 1], lowest lag first. */
  readonly future: number;
  readonly past: number;
  readonly rows: Float32Array;
}

/** Half spectrum [channels, fftSize/2 + 1, 2] for circular convolution on fftSize points, at least twice the export's length. */
export interface SpectrumKernel {
  readonly fftSize: number;
  readonly spectrum: Float32Array;
}

/**
 * Outermost lags at which any channel is not 0, as numbers of lags after and before lag 0.
 * `length`: longest input; lags of this size and beyond do not count. Infinity counts every tap of a causal filter.
 */
export function lagExtent(filter: SiteFilter, length: number): { readonly future: number; readonly past: number } {
  checkLength(filter, length);
  let past = 0;
  let future = 0;
  for (const part of filter.parts) {
    forEachLag(part, length, (value, _row, lag) => {
      if (value === 0) return;
      past = Math.max(past, lag);
      future = Math.max(future, -lag);
    });
  }
  return { future, past };
}

/** The kernel as lags, without the outer lags at which every channel is 0; `length` as for lagExtent. */
export function lagKernel(filter: SiteFilter, length: number): LagKernel {
  const { future, past } = lagExtent(filter, length);
  const width = future + past + 1;
  const rows = new Float32Array(filter.site.channels * width);
  for (const part of filter.parts) {
    forEachLag(part, length, (value, row, lag) => {
      if (value !== 0) rows[(part.channels[0] + row) * width + future + lag] = value;
    });
  }
  return { future, past, rows };
}

/** Circular lags [channels, fftSize]: lag j at index j, lag -j at index fftSize - j. */
export function circularKernel(filter: SiteFilter, length: number): { readonly fftSize: number; readonly rows: Float32Array } {
  checkLength(filter, length);
  const fftSize = circularSize(filter, length);
  const rows = new Float32Array(filter.site.channels * fftSize);
  for (const part of filter.parts) {
    const first = part.channels[0] * fftSize;
    if (part.mode === 'grid' && part.filterLength === fftSize) {
      rows.set(part.rows, first);
    } else {
      forEachLag(part, length, (value, row, lag) => {
        rows[first + row * fftSize + (lag < 0 ? fftSize + lag : lag)] = value;
      });
    }
  }
  return { fftSize, rows };
}

/** Spectrum of the circular kernel, computed in float64. Bins that a grid mask drops are exactly 0. */
export function spectrumKernel(filter: SiteFilter, length: number): SpectrumKernel {
  const { fftSize, rows } = circularKernel(filter, length);
  const bins = fftSize / 2 + 1;
  const spectrum = new Float32Array(filter.site.channels * bins * 2);
  for (const { channels, filterLength, grid } of filter.parts) {
    for (let channel = channels[0]; channel < channels[1]; channel++) {
      const bin = forwardReal(rows.subarray(channel * fftSize, (channel + 1) * fftSize), fftSize);
      if (grid && filterLength === fftSize) {
        grid.kept.forEach((kept, f) => {
          if (!kept) bin.fill(0, 2 * f, 2 * f + 2);
        });
      }
      spectrum.set(bin, channel * bins * 2);
    }
  }
  return { fftSize, spectrum };
}

/** No lag is negative, so that taps 0, 1, ... say everything. */
export const isCausal = (filter: SiteFilter): boolean => filter.parts.every(({ mode }) => mode === 'causal');

/** Every part is partial: the filter takes inputs of any length. */
export const takesAnyLength = (filter: SiteFilter): boolean =>
  filter.parts.every(({ mode }) => mode === 'causal' || mode === 'bidirectional') && longestInput(filter) === Infinity;

/** Points of the circular kernel: the parts' own grid where they share one, so that its dropped bins stay exactly 0. */
export function circularSize(filter: SiteFilter, length: number): number {
  const grids = filter.parts.filter(({ mode }) => mode === 'grid').map(({ filterLength }) => powerOfTwoAtLeast(filterLength));
  return Math.max(fftSizeFor(length), ...grids);
}

/** Lags of a part that inputs of up to `length` samples can reach: [lowest, highest]. */
function lagRange(part: FilterPart, length: number): readonly [number, number] {
  switch (part.mode) {
    case 'causal': return [0, Math.min(part.filterLength, length) - 1];
    case 'bidirectional': {
      const reach = Math.min(part.filterLength / 2, length);
      return [1 - reach, reach - 1];
    }
    default: return [1 - length, length - 1];
  }
}

function forEachLag(part: FilterPart, length: number, visit: (value: number, row: number, lag: number) => void): void {
  const { mode, filterLength, rows, channels } = part;
  const [lowest, highest] = lagRange(part, length);
  /** On a ring of the input's own length, lag -j and lag length - j are the same. */
  const ring = mode === 'circular' ? length : filterLength;
  for (let row = 0; row < channels[1] - channels[0]; row++) {
    for (let lag = lowest; lag <= highest; lag++) {
      const index = lag < 0 ? ring + lag : lag;
      if (index < filterLength) visit(rows[row * filterLength + index], row, lag);
    }
  }
}

function checkLength(filter: SiteFilter, length: number): void {
  const { site, parts } = filter;
  const only = onlyLength(filter);
  if (only !== undefined && length !== only) {
    throw new UserError(`The masks of site ${site.id} are for exactly ${only} samples, but the export is for ${length}.`, `Export for a length of ${only}.`);
  }
  for (const { mode, filterLength } of parts) {
    if (mode === 'grid' && length > filterLength / 2) {
      throw new UserError(
        `Site ${site.id} is masked on a grid of ${filterLength} points, which takes at most ${filterLength / 2} samples, not ${length}.`,
        `Export for a length of at most ${filterLength / 2}, or mask the site on a larger grid.`,
      );
    }
  }
}
