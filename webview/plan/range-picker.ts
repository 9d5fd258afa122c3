import type { ChannelMask } from '../../extension/core/protocol/webview';
import { el } from '../ui/dom';
import { ChoiceField, numberInput } from '../ui/fields';
import { button } from '../ui/toolkit';
import { channelParts, rangeName } from './channel-ranges';
import type { ChannelRange } from './channel-ranges';
import { t } from '../ui/l10n';

const OTHER = 'other';

/** Which channels of the site the controls act on: all, one of the ranges that the plan has, or a new one. */
export class RangePicker {
  readonly element: HTMLElement;
  private readonly choice: ChoiceField<string>;
  private readonly from = numberInput({ testid: 'range-first', min: 0, max: 0 });
  private readonly to = numberInput({ testid: 'range-last', min: 0, max: 0 });
  private readonly custom: HTMLElement;
  private channels = 1;
  private range: ChannelRange = [0, 1];

  constructor(private readonly onChange: (range: ChannelRange) => void) {
    this.choice = new ChoiceField<string>({ label: t('Mask acts on'), testid: 'range', choices: [], onChange: value => this.choose(value) });
    this.from.setAttribute('aria-label', t('First channel'));
    this.to.setAttribute('aria-label', t('Last channel'));
    this.custom = el('div', { class: 'row', hidden: true, testid: 'range-custom' }, this.from, el('span', { text: '–' }), this.to, button(t('Use'), () => this.useCustom(), { testid: 'range-use' }));
    this.element = el('div', { class: 'range-picker' }, this.choice.element, this.custom);
  }

  show(masks: readonly ChannelMask[], channels: number, range: ChannelRange): void {
    this.channels = channels;
    this.range = range;
    for (const input of [this.from, this.to]) input.max = String(channels - 1);
    const ranges = new Map<string, string>([[key([0, channels]), capital(rangeName([0, channels], channels))]]);
    for (const part of channelParts(masks, channels)) {
      if (part.range[0] > 0 || part.range[1] < channels) ranges.set(key(part.range), part.mask ? capital(rangeName(part.range, channels)) : t('{0} (dense)', capital(rangeName(part.range, channels))));
    }
    if (!ranges.has(key(range))) ranges.set(key(range), capital(rangeName(range, channels)));
    this.choice.setChoices([...[...ranges].map(([value, label]) => ({ value, label })), { value: OTHER, label: t('Other channels …') }]);
    this.choice.set(key(range));
    this.custom.hidden = true;
  }

  private choose(value: string): void {
    if (value !== OTHER) return this.onChange(value.split('-').map(Number) as [number, number]);
    this.from.value = String(this.range[0]);
    this.to.value = String(this.range[1] - 1);
    this.custom.hidden = false;
    this.from.focus();
  }

  private useCustom(): void {
    const inside = (value: number): number => Math.min(this.channels - 1, Math.max(0, Math.round(Number.isFinite(value) ? value : 0)));
    const ends = [inside(Number(this.from.value)), inside(Number(this.to.value))];
    this.onChange([Math.min(...ends), Math.max(...ends) + 1]);
  }
}

const key = (range: ChannelRange): string => range.join('-');
const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
