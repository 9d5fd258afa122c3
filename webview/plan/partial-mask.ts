import type { PartialMask } from '../../extension/core/protocol/webview';

/** The partial mask with other values, its taper inside the kept part; keeping every tap without a taper is no mask. */
export function partialWith(partial: PartialMask | undefined, change: Partial<PartialMask>, siteTaps: number): PartialMask | undefined {
  const taps = change.taps ?? partial?.taps ?? siteTaps;
  const taper = Math.min(taps, change.taper ?? partial?.taper ?? 0);
  if (taps >= siteTaps && taper === 0) return undefined;
  return taper > 0 ? { taps, taper } : { taps };
}
