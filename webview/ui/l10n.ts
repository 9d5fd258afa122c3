/** The bundle of the user's language, which the extension host puts on the page (editors/page-html.ts); without one the texts stay English. */
export const bundle: Readonly<Record<string, string>> = typeof document === 'undefined' ? {} : JSON.parse(document.body.dataset.l10n ?? '{}') as Record<string, string>;

/** A text in the user's language: like vscode.l10n.t, the English text is the key, and {0}, {1} ... stand for the values. */
export function t(text: string, ...values: readonly (string | number)[]): string {
  return filled(bundle[text] ?? text, values);
}

/** The text with its values in their places. */
export function filled(text: string, values: readonly (string | number)[]): string {
  return text.replace(/\{(\d+)\}/g, (_match, index) => String(values[Number(index)]));
}
