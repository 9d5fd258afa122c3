import type { PartialMask } from '../../extension/core/protocol/webview';
import { el } from '../ui/dom';
import { SliderField } from '../ui/fields';
import { count } from '../ui/format';
import { checkbox, setChecked } from '../ui/toolkit';
import type { CheckboxControl } from '../ui/toolkit';
import { partialWith } from './partial-mask';
import { t } from '../ui/l10n';

/** @param settled false while a slider or handle moves. */
export type ChangePartial = (partial: PartialMask | undefined, settled: boolean) => void;

/** Keep the first K taps, optionally ended by a cosine taper. */
export class PartialControls {
  readonly element: HTMLElement;
  private readonly active: CheckboxControl;
  private readonly taps: SliderField;
  private readonly taper: SliderField;
  private partial?: PartialMask;
  private siteTaps = 1;

  constructor(private readonly onChange: ChangePartial) {
    this.active = checkbox(t('Cut in time (partial)'), false, on => {
      this.onChange(on ? { taps: Math.max(1, Math.round(this.siteTaps / 2)) } : undefined, true);
    }, { testid: 'partial-on' });
    this.taps = new SliderField({
      label: t('Keep the first K taps'), testid: 'partial-taps', min: 1, max: 1,
      onInput: taps => this.change({ taps }, false), onCommit: taps => this.change({ taps }, true),
    });
    this.taper = new SliderField({
      label: t('Cosine taper at the end'), testid: 'partial-taper', min: 0, max: 0, unit: t('taps'),
      onInput: taper => this.change({ taper }, false), onCommit: taper => this.change({ taper }, true),
    });
    this.element = el('fieldset', { class: 'controls', testid: 'partial-controls' }, el('legend', { class: 'only-spoken', text: t('Partial convolution') }), this.active, this.taps.element, this.taper.element);
  }

  show(partial: PartialMask | undefined, siteTaps: number): void {
    this.partial = partial;
    this.siteTaps = siteTaps;
    setChecked(this.active, partial !== undefined);
    this.taps.setLimits(1, siteTaps, 1);
    this.taps.setUnit(t('of {0}', count(siteTaps)));
    this.taps.set(partial?.taps ?? siteTaps);
    this.taper.setLimits(0, partial?.taps ?? siteTaps, 1);
    this.taper.set(partial?.taper ?? 0);
    this.taper.disabled = partial === undefined;
  }

  private change(change: Partial<PartialMask>, settled: boolean): void {
    this.onChange(partialWith(this.partial, change, this.siteTaps), settled);
  }
}
