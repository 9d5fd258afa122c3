import type { RpcFailure } from '../../extension/core/protocol/rpc';
import { el } from './dom';
import { button } from './toolkit';
import { t } from './l10n';
import { translated } from './sentences';

export type MessageKind = 'error' | 'warning' | 'info';
export interface MessageAction { readonly label: string; readonly testid?: string; readonly run: () => void }

const SIGNS: Record<MessageKind, string> = { error: '✕', warning: '!', info: 'i' };

/** One sentence that says what happened, what to do about it, and the buttons that do it. */
export function message(kind: MessageKind, text: string, hint?: string, actions: readonly MessageAction[] = [], testid = `message-${kind}`): HTMLElement {
  return el('div', { class: `message ${kind}`, role: kind === 'info' ? 'note' : 'alert', testid },
    el('span', { class: 'message-sign', text: SIGNS[kind], set: { 'aria-hidden': 'true' } }),
    el('div', { class: 'message-text' }, el('div', { text }), hint ? el('div', { class: 'muted', text: hint }) : null),
    actions.length > 0 ? el('div', { class: 'message-actions' }, ...actions.map(action => button(action.label, action.run, { testid: action.testid }))) : null);
}

/** A failed request or job. Bugs say so and lead to the log. */
export function failureMessage(failure: RpcFailure, actions: readonly MessageAction[], testid?: string): HTMLElement {
  const hint = failure.hint ?? (failure.kind === 'internal' ? t('This is a fault of the extension; the log has the details.') : undefined);
  return message(failure.kind === 'cancelled' ? 'info' : 'error', translated(failure.message), hint && translated(hint), actions, testid);
}
