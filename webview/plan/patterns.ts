import { cellCount, mapDigits } from '../../extension/core/masks/cells';
import { binsOfFraction } from '../../extension/core/masks/patterns';
import { effectiveGain, keptCells } from '../../extension/core/masks/symmetry';
import type { FrequencyMask, FrequencyPattern, MonarchGrid } from '../../extension/core/protocol/webview';
import { t } from '../ui/l10n';

export type PatternKind = 'none' | FrequencyPattern['kind'];

export const PATTERN_NAMES: Record<Exclude<PatternKind, 'energy'>, string> = {
  none: t('None (dense)'), lowpass: t('Low-pass'), bandpass: t('Band-pass'), block: t('Block (per digit)'), comb: t('Comb rows (n1)'), cells: t('Painted cells'),
};

/** Bins 0..N/2 of the half spectrum. */
export const halfBins = (grid: MonarchGrid): number => grid.fftSize / 2 + 1;

/** The shortest decimal fraction that stands for exactly this many bins of the half spectrum. */
export function fractionForBins(bins: number, grid: MonarchGrid): number {
  const exact = bins / halfBins(grid);
  for (let digits = 1; digits <= 12; digits++) {
    const rounded = Number(exact.toFixed(digits));
    if (rounded > 0 && rounded <= 1 && binsOfFraction(rounded, grid.fftSize) === bins) return rounded;
    const above = Number((Math.ceil(exact * 10 ** digits) / 10 ** digits).toFixed(digits));
    if (above > 0 && above <= 1 && binsOfFraction(above, grid.fftSize) === bins) return above;
  }
  return exact;
}

/** Keeps the bins [from, to) of the half spectrum. */
export const bandPattern = (from: number, to: number, grid: MonarchGrid): FrequencyPattern =>
  ({ kind: 'bandpass', from: from === 0 ? 0 : fractionForBins(from, grid), to: fractionForBins(to, grid) });

/** A pattern of the kind to start from: half of what there is, or for cells what the pattern before kept. */
export function newPattern(kind: Exclude<PatternKind, 'none' | 'energy'>, grid: MonarchGrid, before: FrequencyMask | undefined): FrequencyPattern {
  switch (kind) {
    case 'lowpass': return { kind, fraction: fractionForBins(Math.floor(halfBins(grid) / 2), grid) };
    case 'bandpass': return { kind, from: 0, to: 0.5 };
    case 'block': return { kind, counts: grid.factors.map(factor => Math.max(1, factor / 2)) };
    case 'comb': return { kind, rows: Math.max(1, Math.round(grid.factors[0] / 2)) };
    case 'cells': return { kind, cells: before ? keptCells(effectiveGain(before), grid, mapDigits(grid)) : allCells(grid) };
  }
}

export function allCells(grid: MonarchGrid): Extract<FrequencyPattern, { kind: 'cells' }>['cells'] {
  const digits = mapDigits(grid);
  return { digits, runs: [0, cellCount(grid, digits)] };
}

/** The pattern on another grid: fractions stand for the same band; what is bound to cells starts anew, all kept. */
export function regrid(keep: FrequencyPattern, grid: MonarchGrid): FrequencyPattern {
  switch (keep.kind) {
    case 'lowpass':
    case 'bandpass': return keep;
    case 'block': return { kind: 'block', counts: [...grid.factors] };
    case 'comb': return { kind: 'comb', rows: grid.factors[0] };
    case 'energy':
    case 'cells': return { kind: 'cells', cells: allCells(grid) };
  }
}
