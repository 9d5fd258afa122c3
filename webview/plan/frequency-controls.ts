import { defaultGrid, gridName, LARGEST_DEFAULT_FFT_SIZE } from '../../extension/core/masks/grid';
import { binsOfFraction } from '../../extension/core/masks/patterns';
import type { FrequencyMask, FrequencyPattern, MonarchGrid, SiteSummary, Symmetry } from '../../extension/core/protocol/webview';
import { el, replaceChildren } from '../ui/dom';
import { ChoiceField, SliderField } from '../ui/fields';
import { count } from '../ui/format';
import { button } from '../ui/toolkit';
import { keptCount } from './cell-painting';
import { allCells, bandPattern, fractionForBins, halfBins, newPattern, PATTERN_NAMES, regrid } from './patterns';
import type { PatternKind } from './patterns';
import { t } from '../ui/l10n';

/** @param settled false while a slider or handle moves. */
export type ChangeFrequency = (mask: FrequencyMask | undefined, settled: boolean) => void;

/** Which frequencies are kept: the pattern, its parameters, the symmetry and the grid. */
export class FrequencyControls {
  readonly element: HTMLElement;
  private readonly pattern: ChoiceField<PatternKind>;
  private readonly symmetry: ChoiceField<Symmetry>;
  private readonly size: ChoiceField<string>;
  private readonly parameters = el('div', { class: 'parameters' });
  private fields: { kind: PatternKind; grid: string; set: (keep: FrequencyPattern) => void } = { kind: 'none', grid: '', set: () => undefined };
  private mask?: FrequencyMask;
  private site?: SiteSummary;

  constructor(private readonly onChange: ChangeFrequency) {
    this.pattern = new ChoiceField<PatternKind>({ label: t('Keep frequencies'), testid: 'pattern', choices: patternChoices(false), onChange: kind => this.choosePattern(kind) });
    this.symmetry = new ChoiceField<Symmetry>({
      label: t('Symmetry'), testid: 'symmetry', onChange: symmetry => this.mask && this.onChange({ ...this.mask, symmetry }, true),
      choices: [{ value: 'conjugate', label: t('Conjugate: mirrors together') }, { value: 'gain', label: t('Gain: as drawn (0, ½, 1)') }],
    });
    this.size = new ChoiceField<string>({ label: t('Monarch grid'), testid: 'grid', choices: [], onChange: size => this.chooseGrid(Number(size)) });
    this.element = el('fieldset', { class: 'controls', testid: 'frequency-controls' },
      el('legend', { class: 'only-spoken', text: t('Frequency mask') }), this.pattern.element, this.parameters);
  }

  /** Symmetry and grid stand beside the cell map. */
  get gridFields(): HTMLElement[] {
    return [this.symmetry.element, this.size.element];
  }

  show(mask: FrequencyMask | undefined, site: SiteSummary): void {
    this.mask = mask;
    this.site = site;
    const kind: PatternKind = mask?.keep.kind ?? 'none';
    this.pattern.setChoices(patternChoices(kind === 'energy'));
    this.pattern.set(kind);
    this.symmetry.set(mask?.symmetry ?? 'conjugate');
    this.symmetry.disabled = !mask || kind === 'lowpass' || kind === 'bandpass';
    const grid = mask?.grid ?? site.defaultGrid;
    this.size.setChoices(gridChoices(grid, site));
    this.size.set(String(grid.fftSize));
    this.size.disabled = !mask;
    if (this.fields.kind !== kind || this.fields.grid !== gridName(grid)) this.buildParameters(kind, grid);
    if (mask) this.fields.set(mask.keep);
  }

  private choosePattern(kind: PatternKind): void {
    if (kind === 'none') return this.onChange(undefined, true);
    if (kind === 'energy' || !this.site) return;
    const grid = this.mask?.grid ?? this.site.defaultGrid;
    this.onChange({ grid, symmetry: this.mask?.symmetry ?? 'conjugate', keep: newPattern(kind, grid, this.mask) }, true);
  }

  private chooseGrid(fftSize: number): void {
    if (!this.mask || !this.site) return;
    const grid = gridOfSize(fftSize, this.site);
    this.onChange({ ...this.mask, grid, keep: regrid(this.mask.keep, grid) }, true);
  }

  private keep(keep: FrequencyPattern, settled: boolean): void {
    if (this.mask) this.onChange({ ...this.mask, keep }, settled);
  }

  private slider(label: string, testid: string, min: number, max: number, unit: string, change: (value: number, settled: boolean) => void): SliderField {
    return new SliderField({ label, testid, min, max, unit, onInput: value => change(value, false), onCommit: value => change(value, true) });
  }

  private buildParameters(kind: PatternKind, grid: MonarchGrid): void {
    const bins = halfBins(grid);
    const of = t('of {0}', count(bins));
    let fields: HTMLElement[] = [];
    let set: (keep: FrequencyPattern) => void = () => undefined;
    if (kind === 'lowpass') {
      const field = this.slider(t('Keep the lowest bins'), 'lowpass-bins', 1, bins, of, (value, settled) => this.keep({ kind, fraction: fractionForBins(value, grid) }, settled));
      fields = [field.element];
      set = keep => keep.kind === 'lowpass' && field.set(binsOfFraction(keep.fraction, grid.fftSize));
    } else if (kind === 'bandpass') {
      const bandpass = (): { from: number; to: number } => (this.mask?.keep.kind === 'bandpass' ? this.mask.keep : { from: 0, to: 1 });
      const to = (): number => binsOfFraction(bandpass().to, grid.fftSize);
      const from = (): number => binsOfFraction(bandpass().from, grid.fftSize);
      const low = this.slider(t('From bin'), 'bandpass-from', 0, bins - 1, of, (value, settled) => this.keep(bandPattern(value, Math.max(value + 1, to()), grid), settled));
      const high = this.slider(t('To bin (not included)'), 'bandpass-to', 1, bins, of, (value, settled) => this.keep(bandPattern(Math.min(value - 1, from()), value, grid), settled));
      fields = [low.element, high.element];
      set = keep => {
        if (keep.kind !== 'bandpass') return;
        low.set(binsOfFraction(keep.from, grid.fftSize));
        high.set(binsOfFraction(keep.to, grid.fftSize));
      };
    } else if (kind === 'block') {
      const counts = (): readonly number[] => (this.mask?.keep.kind === 'block' ? this.mask.keep.counts : grid.factors);
      const digits = grid.factors.map((factor, i) => this.slider(i === 0 ? t('Digit n{0} (comb)', i + 1) : i === grid.factors.length - 1 ? t('Digit n{0} (band)', i + 1) : t('Digit n{0}', i + 1), `block-${i}`, 1, factor, t('of {0}', factor),
        (value, settled) => this.keep({ kind, counts: counts().map((kept, j) => (j === i ? value : kept)) }, settled)));
      fields = digits.map(digit => digit.element);
      set = keep => keep.kind === 'block' && digits.forEach((digit, i) => digit.set(keep.counts[i]));
    } else if (kind === 'comb') {
      const field = this.slider(t('Keep rows n1 <'), 'comb-rows', 1, grid.factors[0], t('of {0}', grid.factors[0]), (rows, settled) => this.keep({ kind, rows }, settled));
      fields = [field.element];
      set = keep => keep.kind === 'comb' && field.set(keep.rows);
    } else if (kind === 'cells' || kind === 'energy') {
      const text = el('p', { class: 'hint', testid: 'cell-count' });
      fields = [text, el('div', { class: 'row' }, button(t('Keep All'), () => this.keep({ kind: 'cells', cells: allCells(grid) }, true), { testid: 'keep-all-cells' }))];
      set = () => {
        if (!this.mask) return;
        const { kept, of: all } = keptCount(this.mask);
        const energy = this.mask.keep.kind === 'energy' ? t('The cells of most energy, up to {0} of it: ', this.mask.keep.fraction) : '';
        text.textContent = t('{0}{1} of {2} cells kept. Paint on the cell map to change them.', energy, count(kept), count(all));
      };
    } else {
      fields = [el('p', { class: 'hint', text: t('Choose a pattern, drag the right edge of the plot, lasso a band on it (⌑, or the key B for the visible band), or paint on the cell map.') })];
    }
    this.fields = { kind, grid: gridName(grid), set };
    replaceChildren(this.parameters, ...fields);
  }
}

function patternChoices(withEnergy: boolean): { value: PatternKind; label: string }[] {
  const choices: { value: PatternKind; label: string }[] = Object.entries(PATTERN_NAMES).map(([value, label]) => ({ value: value as PatternKind, label }));
  return withEnergy ? [...choices, { value: 'energy', label: t('Energy (fixed cells)') }] : choices;
}

/** The default grid, those twice and four times as fine, and the plan's own. */
function gridChoices(grid: MonarchGrid, site: SiteSummary): { value: string; label: string }[] {
  const sizes = new Map([1, 2, 4].map(times => site.defaultGrid.fftSize * times)
    .filter(size => size === site.defaultGrid.fftSize || size <= LARGEST_DEFAULT_FFT_SIZE)
    .map(size => [size, gridOfSize(size, site)] as const));
  sizes.set(grid.fftSize, grid);
  return [...sizes.values()].sort((a, b) => a.fftSize - b.fftSize).map(each => ({ value: String(each.fftSize), label: gridName(each) }));
}

function gridOfSize(fftSize: number, site: SiteSummary): MonarchGrid {
  return fftSize === site.defaultGrid.fftSize ? site.defaultGrid : defaultGrid({ siteTaps: site.taps, direction: site.direction, maxLength: site.taps, fftSize });
}
