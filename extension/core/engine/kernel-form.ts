import { defaultFactors, powerOfTwoAtLeast } from '../masks/grid';
import type { FilterPart } from '../plan/site-filter';
import type { ConvolutionSpec, Engine } from './engine';

/** What of a FilterPart decides how it is run: everything but its values. */
export type PartForm = Pick<FilterPart, 'channels' | 'mode' | 'filterLength' | 'reach' | 'grid'>;

/**
 * How the kernels run a part of a site's filter. Causal and grid parts go to the engine as they are. What has lags on both sides of 0 runs
 * either on a grid that holds the whole input, or, where few lags are kept, as a causal filter whose lag 0 is moved to tap `shift`: the
 * input is extended by `shift` samples at its end (and, on a ring, by as many at its beginning), and the output is read `shift` samples
 * later. That makes a cut to K lags as cheap as for causal filters.
 */
export interface KernelForm {
  readonly spec: ConvolutionSpec;
  /** Taps before lag 0 in the engine's filter; 0 where the form is not a moved causal one. */
  readonly shift: number;
  /** Whether the extension of the input wraps around instead of being zero. */
  readonly wrap: boolean;
  /** Column of the engine's filter row that holds a column of the part's row, or -1 where it does not act. */
  readonly place: (column: number) => number;
}

const asItIs = (column: number): number => column;

/**
 * The cheaper form by the engine's cost model; without an engine never a moved one.
 * @param part as it acts on runs of that length (plan/filter-of-run.ts).
 * @param maxLength longest input that will be run, in samples; the exact length where the filter is bound to one.
 */
export function kernelForm(engine: Engine | undefined, part: PartForm, maxLength: number): KernelForm {
  const channels = part.channels[1] - part.channels[0];
  const { mode, filterLength, grid, reach } = part;
  switch (mode) {
    case 'causal':
    case 'grid':
      return { spec: { channels, mode, filterLength, maxLength, grid }, shift: 0, wrap: false, place: asItIs };
    case 'circular': {
      const taps = Math.min(filterLength, maxLength);
      const ring: KernelForm = {
        spec: { channels, mode, filterLength: taps, maxLength }, shift: 0, wrap: false, place: (column) => (column < taps ? column : -1),
      };
      return reach === undefined || 2 * reach > taps ? ring : cheaper(engine, maxLength, ring, moved(channels, reach, filterLength, maxLength, true));
    }
    case 'bidirectional': {
      const half = Math.min(filterLength / 2, maxLength);
      return cheaper(engine, maxLength, wholeGrid(channels, half, filterLength, maxLength), moved(channels, half, filterLength, maxLength, false));
    }
  }
}

/** A grid of at least twice the input, on which nothing wraps around. */
function wholeGrid(channels: number, half: number, columns: number, maxLength: number): KernelForm {
  const fftSize = powerOfTwoAtLeast(Math.max(2, 2 * maxLength));
  const kept = new Uint8Array(fftSize / 2 + 1).fill(1);
  return {
    spec: { channels, mode: 'grid', filterLength: fftSize, maxLength, grid: { fftSize, factors: defaultFactors(fftSize), kept } },
    shift: 0, wrap: false,
    place: (column) => {
      const lag = lagOf(column, columns);
      return Math.abs(lag) >= half ? -1 : lag < 0 ? fftSize + lag : lag;
    },
  };
}

/** Lags |lag| < half as a causal filter of 2 half - 1 taps with lag 0 at tap half - 1. */
function moved(channels: number, half: number, columns: number, maxLength: number, wrap: boolean): KernelForm {
  const shift = half - 1;
  return {
    spec: { channels, mode: 'causal', filterLength: 2 * half - 1, maxLength: maxLength + (wrap ? 2 : 1) * shift },
    shift, wrap,
    place: (column) => {
      const lag = lagOf(column, columns);
      return Math.abs(lag) >= half ? -1 : lag + shift;
    },
  };
}

/** Lag of a column on a ring of so many. */
const lagOf = (column: number, columns: number): number => (column < columns / 2 ? column : column - columns);

function cheaper(engine: Engine | undefined, length: number, first: KernelForm, second: KernelForm): KernelForm {
  if (!engine) return first;
  return kernelSeconds(engine, second, 1, length, 1) < kernelSeconds(engine, first, 1, length, 1) ? second : first;
}

/** The cost model's seconds for one call on inputs [batch, channels, length]. */
export function kernelSeconds(engine: Engine, { spec, shift, wrap }: KernelForm, batch: number, length: number, threads: number): number {
  return engine.predict(spec, batch, length + (wrap ? 2 : 1) * shift, threads).seconds;
}

/** The part's rows as the engine takes them. */
export function kernelRows({ spec, place }: KernelForm, { rows, filterLength, channels }: Pick<FilterPart, 'rows' | 'filterLength' | 'channels'>): Float32Array {
  if (place === asItIs) return rows;
  const count = channels[1] - channels[0];
  const out = new Float32Array(count * spec.filterLength);
  for (let column = 0; column < filterLength; column++) {
    const to = place(column);
    for (let c = 0; to >= 0 && c < count; c++) out[c * spec.filterLength + to] = rows[c * filterLength + column];
  }
  return out;
}
