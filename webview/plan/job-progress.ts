import type { JobState } from '../../extension/core/protocol/webview';
import { el } from '../ui/dom';
import { duration, secondsLeft } from '../ui/format';
import { button } from '../ui/toolkit';
import { t } from '../ui/l10n';
import { translated } from '../ui/sentences';

/** A running job: what it does now, how far it is, the time left, and Cancel. */
export class JobProgress {
  readonly element: HTMLElement;
  private readonly bar = el('div', { class: 'progress-fill' });
  private readonly track: HTMLElement;
  private readonly text = el('span', { set: { 'aria-live': 'polite' } });
  private readonly left = el('span', { class: 'muted' });

  constructor(name: string, testid: string, onCancel: () => void) {
    this.track = el('div', { class: 'progress', role: 'progressbar', label: name, set: { 'aria-valuemin': '0', 'aria-valuemax': '100' } }, this.bar);
    this.text.dataset.testid = `${testid}-progress`;
    this.left.dataset.testid = `${testid}-time-left`;
    this.element = el('div', { class: 'job-progress', hidden: true },
      el('div', { class: 'row' }, this.text, el('span', { class: 'grow' }), this.left, button(t('Cancel'), onCancel, { testid: `${testid}-cancel` })), this.track);
  }

  show(job: JobState<unknown>): void {
    this.element.hidden = job.state !== 'running';
    if (job.state !== 'running') return;
    const { message, fraction } = job.progress;
    this.bar.style.width = `${Math.round(fraction * 100)}%`;
    this.track.setAttribute('aria-valuenow', String(Math.round(fraction * 100)));
    this.text.textContent = translated(message);
    const remaining = secondsLeft(fraction, (Date.now() - job.started) / 1000);
    this.left.textContent = remaining === null ? '' : t('about {0} left', duration(remaining));
  }
}
