import type { TensorSummary } from '../../extension/core/protocol/webview';
import { el } from '../ui/dom';
import { bytes, count, plural } from '../ui/format';
import { VirtualList } from '../ui/virtual-list';
import { t } from '../ui/l10n';

const ROW_HEIGHT = 24;

/** All tensors of the file; words typed into the search must all occur in the name, the type or the shape. */
export class TensorList {
  readonly element: HTMLElement;
  private readonly list = new VirtualList<TensorSummary>(ROW_HEIGHT, tensorRow, 'tensor-list', t('Tensors'));
  private readonly found = el('span', { class: 'muted', testid: 'tensor-count', set: { 'aria-live': 'polite' } });
  private tensors: readonly TensorSummary[] = [];

  constructor() {
    const search = el('input', { class: 'search', testid: 'tensor-search', label: t('Search tensors'), set: { type: 'search', placeholder: t('Search name, type or shape') } });
    search.addEventListener('input', () => this.filter(search.value));
    this.element = el('div', { class: 'tensors' },
      el('div', { class: 'tensor-tools' }, search, this.found),
      el('div', { class: 'tensor-row tensor-head', set: { 'aria-hidden': 'true' } },
        el('span', { text: t('Name') }), el('span', { text: t('Type') }), el('span', { text: t('Shape') }), el('span', { class: 'numeric', text: t('Size') })),
      this.list.element);
  }

  setTensors(tensors: readonly TensorSummary[]): void {
    this.tensors = tensors;
    this.filter('');
  }

  private filter(text: string): void {
    const shown = matchingTensors(this.tensors, text);
    this.list.setItems(shown);
    this.found.textContent = shown.length === this.tensors.length ? plural(shown.length, 'tensor') : `${count(shown.length)} ${t('of {0}', plural(this.tensors.length, 'tensor'))}`;
  }
}

export function matchingTensors(tensors: readonly TensorSummary[], text: string): readonly TensorSummary[] {
  const words = text.toLowerCase().split(/\s+/).filter(word => word !== '');
  return words.length === 0 ? tensors : tensors.filter(tensor => {
    const line = `${tensor.name} ${tensor.dtype} [${tensor.shape.join(', ')}] ${tensor.shape.join('x')}`.toLowerCase();
    return words.every(word => line.includes(word));
  });
}

function tensorRow(tensor: TensorSummary): HTMLElement {
  return el('div', { class: 'tensor-row', title: tensor.name },
    el('span', { class: 'tensor-name', text: tensor.name }), el('span', { text: tensor.dtype }),
    el('span', { text: tensor.shape.length > 0 ? `[${tensor.shape.join(', ')}]` : t('scalar') }), el('span', { class: 'numeric', text: bytes(tensor.bytes) }));
}
