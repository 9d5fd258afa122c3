import { SliderField } from './fields';
import { t } from './l10n';

/** The channel whose filter the plots show. */
export class ChannelPicker {
  readonly element: HTMLElement;
  private readonly field: SliderField;

  constructor(onChange: (channel: number) => void) {
    this.field = new SliderField({ label: t('Channel'), testid: 'channel', min: 0, max: 0, onInput: onChange, onCommit: onChange });
    this.element = this.field.element;
    this.element.classList.add('channel-picker');
  }

  set(channel: number, channels: number): void {
    this.field.setLimits(0, channels - 1, 1);
    this.field.setUnit(t('of {0}', channels));
    this.field.set(channel);
  }
}
