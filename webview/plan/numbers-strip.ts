import type { Preview } from '../../extension/core/protocol/webview';
import { el, replaceChildren } from '../ui/dom';
import { bytes, percent, significant, speedup } from '../ui/format';
import { t } from '../ui/l10n';
import { translated } from '../ui/sentences';

/** The live figures of the site's masks. A predicted speed stands beside the error of the same masks, never alone. */
export class NumbersStrip {
  readonly element: HTMLElement;
  private readonly values = new Map<string, HTMLElement>();
  private readonly kernel = el('p', { class: 'kernel', testid: 'kernel' });
  private readonly spoken = el('p', { class: 'only-spoken', set: { 'aria-live': 'polite' }, testid: 'spoken-numbers' });

  constructor() {
    const tile = (id: string, label: string, title: string): HTMLElement => {
      const value = el('span', { class: 'value', text: '–', testid: id });
      this.values.set(id, value);
      return el('div', { class: 'tile', title }, el('span', { class: 'label', text: label }), value);
    };
    this.element = el('div', { class: 'numbers', testid: 'numbers' },
      el('div', { class: 'tiles' },
        tile('kept-bins', t('Kept bins'), t('Share of the N frequency bins with a gain above 0')),
        tile('kept-taps', t('Kept taps'), t('Share of the filter’s taps that are kept')),
        tile('filter-error', t('Filter error'), t('‖k′ − k‖ / ‖k‖ over the taps')),
        tile('leak', t('Leak'), t('Energy at negative lags / total energy of the masked filter: the future that the model would see')),
        tile('predicted-speedup', t('Predicted speed-up'), t('Of this site’s convolution, from the kernels’ cost model; Validate measures it')),
        tile('predicted-memory', t('Predicted memory'), t('Of this site’s prepared filter, which stays in memory while the model runs; and of the dense one'))),
      this.kernel, this.spoken);
  }

  /** @param settled the figures are the last ones of the plan as it stands, not of a drag under way: they are read out. */
  show(preview: Preview | undefined, settled: boolean): void {
    const measures = preview?.measures;
    const shown: Record<string, string> = {
      'kept-bins': measures ? percent(measures.keptBins) : '–',
      'kept-taps': measures ? percent(measures.keptTaps) : '–',
      'filter-error': measures ? significant(measures.filterError, 3) : '–',
      leak: measures ? percent(measures.leak) : '–',
      'predicted-speedup': preview ? speedup(preview.predictedSpeedup) : '–',
      'predicted-memory': preview ? bytes(preview.preparedBytes.masked) : '–',
    };
    for (const [id, text] of Object.entries(shown)) this.values.get(id)!.textContent = text;
    if (!preview) return;
    this.values.get('predicted-memory')!.title = t('Dense: {0}', bytes(preview.preparedBytes.dense));
    const sample = preview.sampledChannels < preview.channels ? t(' · error and leak over {0} of {1} channels', preview.sampledChannels, preview.channels) : '';
    replaceChildren(this.kernel, el('span', { text: t('Kernel: {0}{1}', translated(preview.kernel), sample) }), preview.advice ? el('span', { class: 'advice', text: translated(preview.advice), testid: 'advice' }) : null);
    if (settled) {
      this.spoken.textContent = t('Kept bins {0}, kept taps {1}, filter error {2}, leak {3}, predicted speed-up {4}, predicted memory {5}. {6}',
        shown['kept-bins'], shown['kept-taps'], shown['filter-error'], shown.leak, shown['predicted-speedup'], shown['predicted-memory'], `${translated(preview.advice ?? '')}${sample}`);
    }
  }
}
