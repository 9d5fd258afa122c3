import { el, uniqueId } from './dom';

export interface NumberFieldOptions {
  readonly label: string;
  readonly testid: string;
  readonly min: number;
  readonly max: number;
  readonly step?: number;
  readonly unit?: string;
  /** Called while a slider moves. */
  readonly onInput?: (value: number) => void;
  /** Called when the value is settled: slider released, Enter, or the field left. */
  readonly onCommit: (value: number) => void;
}

/** A labelled number field with a slider in step. */
export class SliderField {
  readonly element: HTMLElement;
  private readonly number: HTMLInputElement;
  private readonly slider: HTMLInputElement;
  private readonly unit: HTMLElement;

  constructor(private readonly options: NumberFieldOptions) {
    const id = uniqueId('field');
    this.number = numberInput(options, id);
    this.slider = el('input', { class: 'slider', testid: `${options.testid}-slider`, label: options.label, set: { type: 'range' } });
    this.unit = el('span', { class: 'unit', text: options.unit ?? '' });
    this.setLimits(options.min, options.max, options.step ?? 1);
    this.element = el('div', { class: 'field slider-field' },
      el('label', { text: options.label, set: { for: id } }), this.slider, this.number, this.unit);
    this.slider.addEventListener('input', () => {
      this.number.value = this.slider.value;
      this.options.onInput?.(Number(this.slider.value));
    });
    this.slider.addEventListener('change', () => this.options.onCommit(Number(this.slider.value)));
    this.number.addEventListener('change', () => this.commitNumber());
  }

  setLimits(min: number, max: number, step: number): void {
    for (const input of [this.number, this.slider]) {
      input.min = String(min);
      input.max = String(max);
      input.step = String(step);
    }
  }

  setUnit(unit: string): void {
    this.unit.textContent = unit;
  }

  set(value: number, shown = String(value)): void {
    this.slider.value = String(value);
    if (document.activeElement !== this.number) this.number.value = shown;
  }

  set disabled(disabled: boolean) {
    this.number.disabled = this.slider.disabled = disabled;
  }

  private commitNumber(): void {
    const value = Number(this.number.value);
    const kept = Math.min(Number(this.number.max), Math.max(Number(this.number.min), Number.isFinite(value) ? value : Number(this.number.min)));
    this.number.value = String(kept);
    this.slider.value = String(kept);
    this.options.onCommit(kept);
  }
}

export interface ChoiceOptions<T extends string> {
  readonly label: string;
  readonly testid: string;
  readonly choices: readonly { readonly value: T; readonly label: string }[];
  readonly onChange: (value: T) => void;
}

/** A labelled drop-down. */
export class ChoiceField<T extends string> {
  readonly element: HTMLElement;
  private readonly select: HTMLSelectElement;

  constructor(options: ChoiceOptions<T>) {
    const id = uniqueId('choice');
    this.select = el('select', { id, testid: options.testid });
    this.setChoices(options.choices);
    this.select.addEventListener('change', () => options.onChange(this.select.value as T));
    this.element = el('div', { class: 'field' }, el('label', { text: options.label, set: { for: id } }), this.select);
  }

  setChoices(choices: readonly { readonly value: T; readonly label: string }[]): void {
    const chosen = this.select.value;
    this.select.replaceChildren(...choices.map(choice => el('option', { text: choice.label, set: { value: choice.value } })));
    if (choices.some(choice => choice.value === chosen)) this.select.value = chosen;
  }

  set(value: T): void {
    this.select.value = value;
  }

  get value(): T {
    return this.select.value as T;
  }

  set disabled(disabled: boolean) {
    this.select.disabled = disabled;
  }
}

export function numberInput(options: Pick<NumberFieldOptions, 'testid' | 'min' | 'max' | 'step'>, id = uniqueId('number')): HTMLInputElement {
  return el('input', {
    class: 'number', id, testid: options.testid,
    set: { type: 'number', min: String(options.min), max: String(options.max), step: String(options.step ?? 1) },
  });
}
