import type { Site } from '../families/model';
import { effectiveGain, keptFraction } from '../masks/symmetry';
import type { ChannelMask } from './plan';
import type { MaskMeasures } from './site-filter';

/** Sums over channels from which the measures of a whole site are formed: energies in float64, shares weighted by channels. */
export class MeasureSums {
  private channels = 0;
  private energy = 0;
  private errorEnergy = 0;
  private maskedEnergy = 0;
  private leakEnergy = 0;
  private keptBins = 0;
  private keptTaps = 0;

  /**
   * Channels whose filters a mask changed: per-channel sums of squares as Engine.maskFilter gives them. Where the convolution is not
   * `causal`, the negative lags are its own and nothing leaks.
   */
  addEnergies(sums: {
    readonly energy: ArrayLike<number>; readonly errorEnergy: ArrayLike<number>;
    readonly maskedEnergy: ArrayLike<number>; readonly leakEnergy: ArrayLike<number>;
  }, causal = true): void {
    this.energy += sum(sums.energy);
    this.errorEnergy += sum(sums.errorEnergy);
    this.maskedEnergy += sum(sums.maskedEnergy);
    this.leakEnergy += causal ? sum(sums.leakEnergy) : 0;
  }

  /** Filters that stay as they are; `leak` is the part of their energy that lies at negative lags. */
  addUnchanged(energy: number, leak = 0): void {
    this.energy += energy;
    this.maskedEnergy += energy;
    this.leakEnergy += leak;
  }

  /** What the mask of so many channels of a site keeps. */
  addKept(mask: ChannelMask | undefined, channels: number, site: Pick<Site, 'taps' | 'direction'>): void {
    this.channels += channels;
    this.keptBins += channels * (mask?.frequency === undefined ? 1 : keptFraction(effectiveGain(mask.frequency)));
    this.keptTaps += channels * (mask?.partial === undefined ? 1 : keptShare(mask.partial.taps, site));
  }

  measures(): MaskMeasures {
    return {
      filterError: Math.sqrt(share(this.errorEnergy, this.energy)),
      leak: share(this.leakEnergy, this.maskedEnergy),
      keptBins: this.keptBins / this.channels,
      keptTaps: this.keptTaps / this.channels,
    };
  }
}

/** part / whole; NaN, not the 0 of a perfect mask, where values are not finite. */
const share = (part: number, whole: number): number => (whole === 0 ? 0 : Number.isFinite(whole) ? part / whole : NaN);

/** Share of a site's lags that |lag| < K keeps. */
function keptShare(kept: number, { taps, direction }: Pick<Site, 'taps' | 'direction'>): number {
  return direction === 'circular' ? Math.min(1, (2 * kept - 1) / taps) : kept / taps;
}

/** sum of squares, in float64. */
export function energyOf(values: Float32Array): number {
  let energy = 0;
  for (let i = 0; i < values.length; i++) {
    energy += values[i] * values[i];
  }
  return energy;
}

function sum(values: ArrayLike<number>): number {
  let total = 0;
  for (let i = 0; i < values.length; i++) {
    total += values[i];
  }
  return total;
}
