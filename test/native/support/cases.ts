import type { ConvolutionSpec } from '../../../extension/core/engine/engine';
import { defaultFactors } from '../../../extension/core/masks/grid';
import { noise } from '../../unit/graph/support/measure';
import { blockGrid, combGrid, gridFilter, gridOf, gridSize } from './grids';
import type { Grid } from './grids';

/** A convolution with its random filter. */
export interface Case {
  readonly spec: ConvolutionSpec;
  /** [channels, filterLength]; made when asked for, so that listing cases costs nothing. */
  readonly filter: () => Float32Array;
}

/** One kind of convolution for one input length, with any number of channels. */
export interface Kind {
  readonly name: string;
  readonly make: (channels: number) => Case;
}

/** Every kind of convolution that the engine offers, for inputs of `length` samples. */
export function allCases(length: number): readonly Kind[] {
  return [
    ...filterLengths(length).map((filterLength) => longFilterCase('causal', length, filterLength)),
    // A circular filter longer than the input is refused (hostile-prepare.test.ts).
    ...filterLengths(length).filter((filterLength) => filterLength <= length).map((filterLength) => longFilterCase('circular', length, filterLength)),
    ...Object.entries(grids(gridSize(length))).map(([name, grid]) => gridCase(name, length, grid)),
  ];
}

/** Very short, shorter than the input, equal to it, longer, and longer than twice. */
export function filterLengths(length: number): number[] {
  return [...new Set([Math.min(5, length), Math.ceil(length / 2), length, length + 37, 2 * length + 1])];
}

export function longFilterCase(mode: 'causal' | 'circular', length: number, filterLength: number): Kind {
  return {
    name: `${mode}, ${filterLength} taps`,
    make: (channels) => ({
      spec: { channels, mode, filterLength, maxLength: length },
      filter: () => noise(channels * filterLength, 7 * filterLength + length),
    }),
  };
}

export function gridCase(name: string, length: number, grid: Grid): Kind {
  return {
    name: `grid of ${grid.fftSize}, ${name}`,
    make: (channels) => ({
      spec: { channels, mode: 'grid', filterLength: grid.fftSize, maxLength: length, grid },
      filter: () => gridFilter(grid, channels, grid.fftSize + length),
    }),
  };
}

/** Every kind of mask on the default grid of an FFT size. */
export function grids(fftSize: number): Readonly<Record<string, Grid>> {
  const half = fftSize / 2;
  const random = noise(half + 1, fftSize);
  return {
    'nothing dropped': gridOf(fftSize, () => true),
    'lowpass': gridOf(fftSize, (bin) => bin <= half / 4),
    'bandpass': gridOf(fftSize, (bin) => bin >= Math.floor(half / 4) && bin <= (3 * half) / 4),
    'comb': combGrid(fftSize, [1, 2]),
    'comb with both real rows': combGrid(fftSize, [0, 1, defaultFactors(fftSize)[0] / 2]),
    'block': blockGrid(fftSize),
    'arbitrary bins': gridOf(fftSize, (bin) => random[bin] > 0.2 || bin === half),
  };
}
