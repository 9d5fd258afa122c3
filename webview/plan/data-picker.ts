import type { DataFile } from '../../extension/core/protocol/webview';
import { el } from '../ui/dom';
import { button } from '../ui/toolkit';
import { t } from '../ui/l10n';

/** The file that jobs measure quality on, and the button that chooses another. */
export class DataPicker {
  readonly element: HTMLElement;
  private readonly name: HTMLElement;
  private readonly clear?: HTMLElement;

  /** @param prefix of the test ids; @param none shown while no file is chosen; without `onClear` there has to be one. */
  constructor(prefix: string, private readonly none: string, onChoose: () => void, onClear?: () => void) {
    this.name = el('span', { class: 'file-name', testid: `${prefix}data-name` });
    if (onClear) this.clear = button(t('No Data'), onClear, { testid: `${prefix}clear-data` });
    this.element = el('div', { class: 'row' }, el('span', { class: 'muted', text: t('Data') }), this.name,
      button(t('Choose …'), onChoose, { testid: `${prefix}choose-data`, title: t('Choose the data file') }), this.clear ?? null);
  }

  set(data: DataFile | null): void {
    this.name.textContent = data?.name ?? this.none;
    this.name.title = data?.path ?? t('FASTA, text or safetensors with input_ids');
    if (this.clear) this.clear.hidden = data === null;
  }
}
