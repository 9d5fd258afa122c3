import { UserError } from '../errors';
import type { Symmetry } from '../plan/plan';

/** One point of a sweep: what is kept, in the terms of `plan`. At most one of the frequency patterns, with or without a cut in time. */
export interface MaskSetting {
  readonly partial?: number;
  readonly lowpass?: number;
  readonly blocks?: readonly number[];
  readonly comb?: number;
}

/** The values that a sweep goes through. */
export interface SweepAxes {
  readonly partial?: readonly number[];
  readonly lowpass?: readonly number[];
  readonly blocks?: readonly (readonly number[])[];
  readonly comb?: readonly number[];
  /** Also every combination of a cut in time with a frequency pattern. */
  readonly combine?: boolean;
}

/** Every value on its own, in the order given; then, where asked for, each frequency pattern with each cut. Repeated values count once. */
export function settingsOf(axes: SweepAxes): MaskSetting[] {
  const cuts: MaskSetting[] = (axes.partial ?? []).map((partial) => ({ partial }));
  const patterns: MaskSetting[] = [
    ...(axes.lowpass ?? []).map((lowpass) => ({ lowpass })),
    ...(axes.blocks ?? []).map((blocks) => ({ blocks })),
    ...(axes.comb ?? []).map((comb) => ({ comb })),
  ];
  const combined = axes.combine ? patterns.flatMap((pattern) => cuts.map((cut) => ({ ...pattern, ...cut }))) : [];
  const byName = new Map([...cuts, ...patterns, ...combined].map((setting) => [settingName(setting, 'conjugate'), setting]));
  if (byName.size === 0) {
    throw new UserError('The sweep has no setting to try.', 'Give at least one value of partial, lowpass, blocks or comb.');
  }
  return [...byName.values()];
}

/** What a sweep tries when nothing is said: halves of the run length down to 8 taps, and halves of the spectrum down to 1/16. */
export function defaultAxes(length: number): SweepAxes {
  const partial: number[] = [];
  for (let taps = Math.floor(length / 2); taps >= 8; taps = Math.floor(taps / 2)) {
    partial.push(taps);
  }
  return { partial: partial.length > 0 ? partial : [1], lowpass: [1 / 2, 1 / 4, 1 / 8, 1 / 16] };
}

/** e.g. "partial:64", "lowpass:0.5", "block:8.8.8:conjugate", "lowpass:0.5+partial:64": the names of the benchmark and reference files. */
export function settingName(setting: MaskSetting, symmetry: Symmetry): string {
  const parts = [
    ...(setting.lowpass === undefined ? [] : [`lowpass:${setting.lowpass}`]),
    ...(setting.blocks === undefined ? [] : [`block:${setting.blocks.join('.')}:${symmetry}`]),
    ...(setting.comb === undefined ? [] : [`comb:${setting.comb}:${symmetry}`]),
    ...(setting.partial === undefined ? [] : [`partial:${setting.partial}`]),
  ];
  return parts.join('+');
}
